"""A solver as a layer of a PyTorch model."""

from __future__ import annotations

import functools
import math
from typing import TYPE_CHECKING, Any, Literal, cast, overload

import torch
from torch import Tensor, nn

from imle_core._checks import require_choice, require_probability
from imle_core._ragged import check_sizes, pad, unpad
from imle_core._solver import FunctionSolver, Solver
from imle_core.engine import (
    Binding,
    ExpectationFunction,
    SolveFunction,
    begin,
    family_sample,
    map_solve,
    marginals,
    perturb,
    resolve_pool,
    sparsemap,
)
from imle_core.engine._plan import HALF, check_theta_type
from imle_core.errors import (
    CheckpointMismatchError,
    InvalidInstanceError,
    InvalidThetaError,
    SolverParameterError,
    closest,
)
from imle_core.estimators import CATALOGUE, Estimator, ScoreFunction, SparseMAP, resolve

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from torch.utils.hooks import RemovableHandle

    from imle_core._pool import SolutionPool
    from imle_core._solver import Sense, Validation
    from imle_core.engine import Report

__all__ = ["SolverLayer", "differentiable"]


class SolverLayer(nn.Module):
    r"""A combinatorial solver with a gradient.

    In training it solves perturbed parameters and back-propagates what the estimator makes of the solutions; in eval
    it is the plain solver, ``MAP(theta)``, and its gradient is the estimator's at the unperturbed point.

    Theta is in the solver's own sense: costs for a minimising solver, scores for a maximising one.

    Args:
        solver: A :class:`Solver`, or the name of an installed one, whose options are then given as keywords.
        estimator: An estimator such as ``IMLE(samples=4)``, or the name of one; ``imle estimators`` lists them.
        reduction: ``"mean"`` returns the mean over samples, shape ``(*batch, *event)``; ``"none"`` keeps the
            samples as a leading dimension (S in training, 1 in eval), because E[f(z)] is not f(E[z]).
        generator: Source of the noise, on theta's device; None takes torch's global one. Activation checkpointing
            repeats the forward pass and restores the global generator alone: use None with it.
        validate: ``"basic"`` verifies shape, dtype, finiteness and integrality of what the solver returns,
            ``"full"`` also that each state is feasible.
        pool: A :class:`~imle_core.SolutionPool` of structures that were found before, or the capacity of a new one:
            the best of a row is where a solver that takes hints begins its search. It is a part of the layer and its
            checkpoints. ``"auto"``: for solvers that take hints one of 1000 structures, fewer where these are large.
            None: none.
        solve_ratio: The probability with which a row is solved in training; otherwise the best structure of the pool is
            its answer, if there is one. 1 solves all.
        **solver_options: Parameters of the solver, where it is given by name.

    Shape:
        Input: ``(*batch, *event)``, any floating dtype (float16 and bfloat16 are solved in float32).
        Output: ``(*batch, *event)`` or ``(S, *batch, *event)``, theta's dtype and device.

    Raises:
        SolverNotFoundError, SolverParameterError: the solver cannot be made.
        InvalidThetaError: theta is not finite, not floating, or not of the solver's shape.

    References:
        Niepert, Minervini and Franceschi (2021), Implicit MLE: backpropagating through discrete exponential family
        distributions. Mulamba et al. (2021), Contrastive losses and solution caching for predict-and-optimize: the
        pool.

    Example:
        >>> import torch, imle_core as imle
        >>> layer = imle.SolverLayer("torch.k_subset", k=2)
        >>> scores = torch.tensor([[0.1, 3.0, 2.0, -1.0]], requires_grad=True)
        >>> layer.eval()(scores)
        tensor([[0., 1., 1., 0.]], grad_fn=<...>)
    """

    state: Tensor | None

    def __init__(
        self,
        solver: Solver | str,
        estimator: Estimator | str = "imle",
        *,
        reduction: Literal["mean", "none"] = "mean",
        generator: torch.Generator | None = None,
        validate: Validation = "basic",
        pool: SolutionPool | int | Literal["auto"] | None = "auto",
        solve_ratio: float = 1.0,
        **solver_options: Any,
    ) -> None:
        super().__init__()
        if isinstance(solver, str):
            from imle_core.registry import solver as make_solver

            try:
                solver = make_solver(solver, **solver_options)
            except SolverParameterError as error:
                if error.unknown is not None:
                    error.args = (
                        f"{error}{_meant_elsewhere(error.unknown, solver_options[error.unknown], estimator)}",
                    )
                raise
        elif solver_options:
            raise SolverParameterError(
                f"SolverLayer: unknown keywords {', '.join(sorted(solver_options))}. Options of a solver go with "
                "its name; this solver is already made."
            )
        if not isinstance(solver, Solver):
            raise TypeError(
                f"solver must be an imle_core.Solver or the name of one; got {solver!r}. "
                "A bare function becomes a layer by imle_core.differentiable(sense=...)."
            )
        solver.check_declarations()
        require_choice("SolverLayer", "reduction", reduction, ("mean", "none"))
        require_choice("SolverLayer", "validate", validate, ("basic", "full"))
        _require_generator(generator)
        require_probability("SolverLayer", "solve_ratio", solve_ratio)
        self.reduction = reduction
        self.pool = resolve_pool(solver, pool, solve_ratio)
        self._binding = Binding(
            solver, _resolve_for(solver, estimator), generator, validate, (), self.pool, solve_ratio
        )
        self._handle = self._binding.handle()
        self.register_buffer("state", self.estimator.initial_state())

    @property
    def solver(self) -> Solver:
        """The solver."""
        return self._binding.solver

    @property
    def estimator(self) -> Estimator:
        """The estimator; assign another one to anneal a temperature, say. What has adapted stays where it fits."""
        return self._binding.estimator

    @estimator.setter
    def estimator(self, estimator: Estimator | str) -> None:
        self._binding.estimator = _resolve_for(self.solver, estimator)
        state = self._binding.estimator.initial_state()
        if (state is None) != (self.state is None):
            self.state = state

    @property
    def solve_ratio(self) -> float:
        """The probability with which a row is solved in training; assign another one to anneal it."""
        return self._binding.solve_ratio

    @solve_ratio.setter
    def solve_ratio(self, solve_ratio: float) -> None:
        require_probability("SolverLayer", "solve_ratio", solve_ratio)
        self.pool = resolve_pool(self.solver, "auto" if self.pool is None else self.pool, solve_ratio)
        self._binding.solve_ratio = solve_ratio

    def __setattr__(self, name: str, value: Any) -> None:
        """Let the solves use a pool that is assigned: as a submodule, `pool` cannot be a property."""
        if name == "pool" and "_binding" in self.__dict__:
            value = self._binding.pool = resolve_pool(self.solver, value, self.solve_ratio)
        super().__setattr__(name, value)

    @property
    def generator(self) -> torch.Generator | None:
        """The source of the noise; None for torch's global one."""
        return self._binding.generator

    @generator.setter
    def generator(self, generator: torch.Generator | None) -> None:
        _require_generator(generator)
        self._binding.generator = generator

    @overload
    def forward(
        self, theta: Tensor, *, instances: Sequence[Any] | Tensor | None = None, mask: Tensor | None = None
    ) -> Tensor: ...

    @overload
    def forward(
        self, theta: Sequence[Tensor], *, instances: Sequence[Any] | Tensor | None = None
    ) -> list[Tensor]: ...

    def forward(
        self,
        theta: Tensor | Sequence[Tensor],
        *,
        instances: Sequence[Any] | Tensor | None = None,
        mask: Tensor | None = None,
    ) -> Tensor | list[Tensor]:
        """Return the states of theta.

        Args:
            theta: Costs or scores, shape ``(*batch, *event)``; or one tensor for each row, where rows differ in size.
            instances: One instance for each row of the batch, in row-major order, or what :meth:`prepare` made of
                them; for solvers whose rows may differ.
            mask: What of a padded theta belongs to its rows, bool, theta's shape, see :func:`imle_core.pad`. Padding
                counts as 0 in every respect, and gets no gradient; without a mask it is ignored by the solver alone.

        Returns:
            States, shape ``(*batch, *event)``, or ``(S, *batch, *event)`` with ``reduction="none"``; a list of them,
            one a row, if theta is one.
        """
        if isinstance(theta, (list, tuple)) and theta and all(isinstance(row, Tensor) for row in theta):
            if mask is not None:
                raise InvalidThetaError(
                    f"{self.solver.name}: a list of rows has no padding, so it takes no mask."
                )
            padded, mask = pad(theta)
            z = self.forward(padded, instances=instances, mask=mask)
            return unpad(z, theta, axis=0 if self.reduction == "mean" else 1)
        theta = cast("Tensor", theta)  # as is checked with all else that theta may be
        if mask is None:
            return self._states(theta, instances, self.reduction)
        if mask.dtype != torch.bool or mask.shape != theta.shape:
            raise InvalidThetaError(
                f"{self.solver.name}: a mask is bool and of theta's shape {tuple(theta.shape)}; got {mask.dtype} "
                f"{tuple(mask.shape)}."
            )
        zero = torch.zeros((), dtype=theta.dtype, device=theta.device)
        z = self._states(torch.where(mask, theta, zero), instances, self.reduction, mask)
        return torch.where(mask, z, zero)

    def expectation(
        self,
        function: Callable[[Tensor], Tensor],
        theta: Tensor,
        *,
        instances: Sequence[Any] | Tensor | None = None,
    ) -> Tensor:
        r"""Return an estimate of the expected value of a function of the state.

        .. math:: \mathbb{E}[f(z)] \approx \frac{1}{S} \sum_s f(z_s)

        With :class:`ScoreFunction` its gradient is estimated from the values of f, which need not be differentiable;
        with any other estimator it goes through f. Parameters that f has of its own get their gradient either way. In
        eval, the one state is the solver's.

        Args:
            function: Takes states, shape ``(S, *batch, *event)``, and returns one value for each, ``(S, *batch)``.
            theta: Costs or scores, shape ``(*batch, *event)``.
            instances: As for a call of the layer.

        Returns:
            Estimates, shape ``(*batch)``.

        Raises:
            ValueError: the function returned another shape.
        """
        estimator = self.estimator
        if not (self.training and isinstance(estimator, ScoreFunction)):
            return self._values(function, self._states(theta, instances, "none"), theta).mean(0)
        scores, numbers = self._scores(theta, instances)
        handle, samples = self._handle, estimator.samples
        ticket = begin(samples, handle)
        if estimator.noise is not None:
            draws = perturb(scores.detach(), samples, True, ticket, handle)
            z = map_solve(
                estimator.perturb(scores.detach(), draws), numbers, None, True, True, ticket, handle
            )
            score = estimator.score(draws)
        else:
            natural = scores.detach() / estimator.tau
            z = family_sample(natural, samples, numbers, ticket, handle)
            score = (z - marginals(natural, numbers, ticket, handle)) / estimator.tau
        values = self._values(function, z.reshape(samples, *theta.shape).to(theta.dtype), theta)
        losses = values.detach().reshape(score.shape[:2]).to(score.dtype)
        zero: Tensor = ExpectationFunction.apply(  # type: ignore[no-untyped-call]
            scores, estimator.expected(losses, score), ticket, handle
        )
        return values.mean(0) + zero.reshape(values.shape[1:]).to(values.dtype)

    def _values(self, function: Callable[[Tensor], Tensor], z: Tensor, theta: Tensor) -> Tensor:
        values = function(z)
        batch, _ = self.solver.split_shape(theta.shape)
        expected = (z.shape[0], *batch)
        found = tuple(values.shape) if isinstance(values, Tensor) else type(values).__name__
        if found != expected:
            raise ValueError(
                f"{self.solver.name}: the function of expectation(...) returned {found}, expected {expected}: one "
                f"value for each sample and row of states {tuple(z.shape)}."
            )
        return values if values.is_floating_point() else values.to(theta.dtype)

    def _scores(
        self, theta: Tensor, instances: Sequence[Any] | Tensor | None, mask: Tensor | None = None
    ) -> tuple[Tensor, Tensor | None]:
        """Return rows of scores, ``(N, *event)``, and the numbers of their instances."""
        solver = self.solver
        check_theta_type(solver, theta)
        batch, event = solver.split_shape(theta.shape)
        working = torch.float32 if theta.dtype in HALF else theta.dtype
        rows = theta.to(working).reshape(math.prod(batch), *event)
        scores = rows if solver.sense == "max" else -rows
        numbers = self._numbers(instances, rows.shape[0])
        if numbers is not None and solver.sizes_differ and not torch.compiler.is_compiling():
            self._check_sizes(numbers, rows, mask)
        return scores, numbers

    def _check_sizes(self, numbers: Tensor, rows: Tensor, mask: Tensor | None) -> None:
        try:
            prepared = self._binding.prepared(numbers)
        except RuntimeError:  # within vmap, whose numbers cannot be read here
            return
        check_sizes(
            self.solver, prepared, tuple(rows.shape[1:]), None if mask is None else mask.reshape(rows.shape)
        )

    def _states(
        self,
        theta: Tensor,
        instances: Sequence[Any] | Tensor | None,
        reduction: Literal["mean", "none"],
        mask: Tensor | None = None,
    ) -> Tensor:
        estimator, handle = self.estimator, self._handle
        scores, numbers = self._scores(theta, instances, mask)
        perturbed = self.training and estimator.noise is not None
        samples = estimator.samples if self.training else 1
        draws: Tensor | None = None
        ticket, centre = begin(samples, handle), estimator.project(scores.detach())
        if self.training and estimator.inference != "map":
            points, draws = self._infer(estimator, centre / estimator.factor, numbers, ticket)
        elif perturbed and estimator.keeps_draws:
            draws = perturb(centre, samples, True, ticket, handle)
            points = estimator.perturb(centre, draws)
        elif perturbed:
            points = perturb(centre, samples, False, ticket, handle)
        else:
            points = centre.expand(samples, *centre.shape)
        z: Tensor = SolveFunction.apply(  # type: ignore[no-untyped-call]
            scores, points, draws, numbers, self.state, ticket, handle, estimator, perturbed, self.training
        )
        z = z.reshape(samples, *theta.shape)
        if reduction == "mean":
            # A clone, because a view may not be changed in place. And before the dtype is changed: divided by S in
            # half precision, a gradient may vanish.
            z = z.mean(0) if samples > 1 else z.squeeze(0).clone()
        return z.to(theta.dtype)

    def _infer(
        self, estimator: Estimator, natural: Tensor, numbers: Tensor | None, ticket: Tensor
    ) -> tuple[Tensor, Tensor | None]:
        """Return the states, ``(S, N, *event)``, that an estimator has in place of solutions, and what it keeps."""
        handle = self._handle
        if isinstance(estimator, SparseMAP):
            points, active = sparsemap(
                natural, numbers, estimator.iterations, estimator.tolerance, ticket, handle
            )
            return points, active
        if estimator.inference == "marginals":
            return marginals(natural, numbers, ticket, handle).unsqueeze(0), None
        return family_sample(natural, estimator.samples, numbers, ticket, handle), None

    def prepare(self, instances: Sequence[Any]) -> Tensor:
        """Return numbers, int64, that stand for instances in calls of this layer.

        A data set can keep them beside its rows, and a compiled model takes them as it takes any tensor.

        Raises:
            InvalidInstanceError: the solver does not accept an instance.
        """
        return self._binding.prepare(instances)

    @property
    def last_report(self) -> Report | None:
        """What the last backward pass did: gradient, step, solves, time; None before the first."""
        return self._binding.ledger.report

    def register_report_hook(self, hook: Callable[[Report], object]) -> RemovableHandle:
        """Call ``hook(report)`` after each backward pass of this layer, in compiled code as well.

        Copies of the layer, by deepcopy or pickle, do not have the hook.

        Args:
            hook: Takes a :class:`~imle_core.diagnostics.Report`; what it returns is ignored, what it raises
                propagates.

        Returns:
            A handle whose ``remove()`` ends it.
        """
        return self._binding.ledger.add_hook(hook)

    def extra_repr(self) -> str:
        """Return the solver, the estimator and the reduction."""
        return f"{self.solver.name}, {self.estimator}, reduction={self.reduction!r}"

    def get_extra_state(self) -> dict[str, Any]:
        """Return what a checkpoint must agree on, in plain types."""
        shape = self.solver.event_shape
        return {"solver": self.solver.name, "event_shape": None if shape is None else list(shape)}

    def set_extra_state(self, state: dict[str, Any]) -> None:
        """Verify that a checkpoint is of a layer over the same solver."""
        if state != self.get_extra_state():
            mine = self.get_extra_state()
            raise CheckpointMismatchError(
                f"the checkpoint is of a layer over {state.get('solver')!r} with event shape "
                f"{state.get('event_shape')}, this layer is over {mine['solver']!r} with event shape "
                f"{mine['event_shape']}. Load it into a model with the same solver."
            )

    def _numbers(self, instances: Sequence[Any] | Tensor | None, rows: int) -> Tensor | None:
        if instances is None:
            return None
        if torch.compiler.is_compiling() and not isinstance(instances, Tensor):
            raise InvalidInstanceError(
                f"{self.solver.name}: a compiled layer takes instances as numbers: make them outside of the compiled "
                "code, by `layer.prepare(instances)`."
            )
        numbers = instances.flatten() if isinstance(instances, Tensor) else self.prepare(instances)
        if numbers.shape[0] != rows:
            raise InvalidInstanceError(
                f"{self.solver.name}: {numbers.shape[0]} instances for {rows} rows; give one instance for each row."
            )
        return numbers

    def __getstate__(self) -> dict[str, Any]:
        """Leave out the handle: a copy has one of its own."""
        return {key: value for key, value in self.__dict__.items() if key != "_handle"}

    def __setstate__(self, state: dict[str, Any]) -> None:
        """Make a handle for the copied binding."""
        super().__setstate__(state)  # type: ignore[no-untyped-call]
        self._handle = self._binding.handle()

    def _apply(self, fn: Callable[[Tensor], Tensor], recurse: bool = True) -> SolverLayer:
        """Move the adaptive state with the module, but never round it: `.half()` is about the network."""
        state = self.state
        super()._apply(fn, recurse)  # type: ignore[no-untyped-call]
        if state is not None and self.state is not None and self.state.dtype != state.dtype:
            self.state = state.to(self.state.device)
        return self


def _resolve_for(solver: Solver, estimator: Estimator | str) -> Estimator:
    resolved = resolve(estimator)
    resolved.check_solver(solver)
    return resolved


def _meant_elsewhere(keyword: str, value: object, estimator: Estimator | str) -> str:
    """Return what to do with a keyword that the solver does not know and the layer or an estimator may."""
    chosen = estimator if isinstance(estimator, str) else type(estimator).__name__
    for entry in sorted(CATALOGUE.values(), key=lambda each: chosen not in (each.name, each.target)):
        if keyword in [option.name for option in entry.options]:
            return f" {keyword!r} is an option of the estimator: imle.{entry.target}({keyword}={value!r})."
    hint = closest(keyword, ("estimator", "reduction", "generator", "validate", "pool", "solve_ratio"))
    return f"{hint.rstrip('?')}, a keyword of the layer?" if hint else ""


def _require_generator(generator: object) -> None:
    if not (generator is None or isinstance(generator, torch.Generator)):
        raise TypeError(f"SolverLayer: generator must be a torch.Generator or None; got {generator!r}.")


def differentiable(
    function: Callable[..., Any] | None = None,
    *,
    sense: Sense,
    estimator: Estimator | str = "imle",
    event_shape: tuple[int | None, ...] | None = None,
    **layer_options: Any,
) -> Any:
    """Make a layer of a bare function that solves a batch.

    Args:
        function: ``(N, *event) -> (N, *event)``: given NumPy arrays, or tensors if its parameter is annotated
            ``torch.Tensor``.
        sense: ``"max"`` if the function maximises scores, ``"min"`` if it minimises costs.
        estimator: As for :class:`SolverLayer`.
        event_shape: Shape of one structure; by default all but the first axis of theta.
        **layer_options: ``reduction``, ``generator``, ``validate`` of :class:`SolverLayer`.

    Returns:
        A :class:`SolverLayer`, or, without a function, a decorator that makes one.

    Example:
        >>> import numpy as np, torch, imle_core as imle
        >>> @imle.differentiable(sense="min", estimator=imle.IMLE(samples=2))
        ... def cheapest(costs):
        ...     return np.eye(costs.shape[1])[costs.argmin(axis=1)]
        >>> costs = torch.tensor([[2.0, 1.0, 3.0]], requires_grad=True)
        >>> cheapest.eval()(costs).detach()
        tensor([[0., 1., 0.]])
    """
    if function is None:
        return functools.partial(
            differentiable, sense=sense, estimator=estimator, event_shape=event_shape, **layer_options
        )
    if not callable(function):
        raise TypeError(f"differentiable takes a function; got {function!r}.")
    layer = SolverLayer(
        FunctionSolver(function, sense=sense, event_shape=event_shape), estimator, **layer_options
    )
    layer.__doc__ = function.__doc__
    return layer
