"""The contract of a solver: what a plugin author writes, and what the core adds around it."""

from __future__ import annotations

import copy
import functools
import importlib
import inspect
import sys
from abc import ABC, abstractmethod
from typing import TYPE_CHECKING, Any, Literal, NamedTuple

import numpy as np
import torch

from imle_core._outcomes import note_outcomes, note_timeouts
from imle_core._ragged import check_sizes
from imle_core.engine._plan import as_rows, solve_rows
from imle_core.errors import (
    InvalidInstanceError,
    InvalidThetaError,
    MissingCapabilityError,
    SolverParameterError,
    UnknownNameError,
    closest,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from typing import Self

__all__ = ["FunctionSolver", "Solver"]

Sense = Literal["max", "min"]
Validation = Literal["basic", "full"]

OPTIONAL_METHODS = (
    "prepare",
    "decode",
    "encode",
    "is_feasible",
    "enumerate_support",
    "log_partition",
    "sample",
    "fixed_terms",
)
"""What a solver may implement beside ``solve``; :meth:`Solver.implements` says whether it does."""


class Solver(ABC):
    r"""A maximum-a-posteriori oracle: for parameters theta, the best structure of a finite set Z.

    .. math:: z^*(\theta) = \arg\max_{z \in Z} \langle z, \theta \rangle
       \quad (\text{or } \arg\min \text{ of a cost, as } \texttt{sense} \text{ declares})

    A subclass implements :meth:`solve` and declares ``sense``; everything else is optional.

    ``solve(self, theta)`` receives a batch of rows, shape ``(N, *event)``, and returns one structure a row, in
    the same shape: a NumPy array on the host, or, if its parameter is annotated ``torch.Tensor``, a tensor on
    theta's device. Either kind may be returned. The array is the solver's own copy, finite, of a floating
    dtype (float32 or float64), and gradients are not tracked.

    A solver that can begin at a known structure has a parameter ``hint``: an array like theta with one for each row, a
    row of NaN where none is known. A layer fills it from its pool of solutions. It may save time, and must not change
    the value of the answer.

    The core wraps it, so that a direct call ``solver.solve(theta)`` is checked as a layer's is: it validates
    theta, applies the policy for negative costs, normalises the scale, and validates what comes back.

    Attributes:
        sense: ``"max"`` if theta are scores, ``"min"`` if they are costs.
        event_shape: Shape of one structure. ``None`` in a place accepts any length there; ``None`` as a whole
            takes the first axis of theta as the batch and all others as the event.
        output: What the entries of a structure are: ``"binary"``, ``"integer"`` or ``"real"``; binary and
            integer are verified on every answer.
        scale_invariant: Whether <z, theta> is the whole objective, so that a positive factor of theta does not
            change the answer. The core then divides each row by a power of two near its largest magnitude:
            the answers of solvers with absolute tolerances depend on the scale of their objective.
        negative: What happens to costs below zero. ``"allow"``: nothing. ``"error"``: they are refused in
            theta; points that perturbation or the loss gradient moved below zero are clipped at zero.
            ``"clip"``: all are clipped at zero.
        name: The qualified name, set by the registry.

    Example:
        >>> import numpy as np
        >>> class TopK(Solver):
        ...     sense = "max"
        ...     def __init__(self, k):
        ...         self.k = k
        ...     def solve(self, theta):
        ...         z = np.zeros_like(theta)
        ...         np.put_along_axis(z, np.argsort(-theta, axis=1)[:, : self.k], 1, axis=1)
        ...         return z
        >>> TopK(2).solve(np.array([[0.1, 3.0, 2.0]]))
        array([[0., 1., 1.]])
    """

    sense: Sense
    event_shape: tuple[int | None, ...] | None = None
    output: Literal["binary", "integer", "real"] = "real"
    scale_invariant: bool = False
    negative: Literal["allow", "error", "clip"] = "allow"
    name: str = ""

    def __init_subclass__(cls, **kwargs: Any) -> None:
        """Wrap the author's ``solve`` and ``decode`` in what the core owes the caller."""
        super().__init_subclass__(**kwargs)
        cls.name = cls.__dict__.get("name", cls.__name__)
        # Also a solve that comes from a mix-in, which is no Solver and has not been wrapped.
        if not getattr(cls.solve, "_checked", False) and cls.solve is not Solver.solve:
            cls.solve = _checked_solve(cls.solve)  # type: ignore[method-assign]
        if "decode" in cls.__dict__:
            cls.decode = _batched_decode(cls.__dict__["decode"])  # type: ignore[method-assign]

    @abstractmethod
    def solve(
        self, theta: Any, *, instances: Sequence[Any] | None = None, validate: Validation = "basic"
    ) -> Any:
        """Return the best structure for each row of theta.

        Args:
            theta: Array or tensor of shape ``(N, *event)``, floating: costs or scores, as ``sense`` says.
            instances: One instance for each row, for solvers whose rows may differ (they have an ``instances``
                parameter in their own ``solve``, and receive what :meth:`prepare` made of each).
            validate: ``"basic"`` (shape, dtype, finite, integral) or ``"full"`` (also :meth:`is_feasible`).

        Returns:
            Structures, shape ``(N, *event)``, of theta's kind, dtype and device.

        Raises:
            InvalidThetaError: theta is not finite, not floating or of the wrong shape.
            InfeasibleError, UnboundedError: a row has no solution.
            InvalidSolutionError: the solver returned something that is no structure.
            SolverError: the solver raised; its exception is the ``__cause__``.
        """

    def prepare(self, instance: Any) -> Any:
        """Turn one instance into what ``solve`` needs of it; called once for each distinct instance.

        The methods that an author writes for a batch, ``solve``, ``is_feasible``, ``log_partition`` and ``sample``, are
        given what this returns; ``decode`` and ``enumerate_support`` are given the user's own instance.

        Raises:
            InvalidInstanceError: by default, because a solver has one instance unless it overrides this.
        """
        raise InvalidInstanceError(
            f"{self.name}: rows cannot have different instances, because the solver has no `prepare` method; "
            f"got the instance {instance!r}."
        )

    def prepare_row(self, instance: Any, row: int) -> Any:
        """Return what :meth:`prepare` makes of the instance of a row, which errors then name."""
        try:
            return self.prepare(instance)
        except InvalidInstanceError as error:
            message = str(error).removeprefix(f"{self.name}: ")
            raise InvalidInstanceError(f"{self.name}: row {row}: {message}") from error.__cause__

    def shape_of(self, prepared: Any) -> tuple[int, ...]:
        """Return the shape of a row of theta with this instance, for solvers whose rows may differ in size.

        Such a solver has ``None`` in its ``event_shape``. A batch of its rows is padded to the largest: ``solve`` looks
        at the leading part of each row, and returns zeros elsewhere.

        Args:
            prepared: What :meth:`prepare` returned.
        """
        raise MissingCapabilityError(f"{self.name} has no `shape_of`, so its rows have one size.")

    def decode(self, z: Any, *, instance: Any = None, instances: Sequence[Any] | None = None) -> Any:
        """Return the structure that a state stands for (a path as a list of nodes, a tour, ...).

        An author writes ``decode(self, z, *, instance=None)`` for one state; the core calls it for each of a batch.

        Args:
            z: One state, shape ``event``, or a batch of them with any leading dimensions.
            instance: The instance that the states solve, where rows may have different instances.
            instances: Or one for each state of a batch.

        Returns:
            The structure, or nested lists of them for a batch.
        """
        raise MissingCapabilityError(f"{self.name} has no `decode`: its states have no other form.")

    def encode(self, structure: Any) -> Any:
        """Return the state, shape ``event``, of a structure; the inverse of :meth:`decode`.

        A solver whose rows may bring their own entries writes ``encode(self, structure, *, instance=None)``.
        """
        raise MissingCapabilityError(f"{self.name} has no `encode`: its states have no other form.")

    def is_feasible(self, z: Any, *, instances: Sequence[Any] | None = None) -> Any:
        """Return for each row of states whether it belongs to the set Z.

        Args:
            z: States, shape ``(N, *event)``; an array, or a tensor if ``solve`` is given tensors.
            instances: What :meth:`prepare` returned for each row, where rows may differ.

        Returns:
            Booleans, shape ``(N,)``.

        Raises:
            MissingCapabilityError: the solver does not implement it.
        """
        raise MissingCapabilityError(
            f"{self.name} has no `is_feasible`, so validate='full' is not available."
        )

    def enumerate_support(self, *, instance: Any = None) -> Any:
        """Return every structure of the set Z once, shape ``(K, *event)``; for sets small enough to list.

        Args:
            instance: The user's instance whose set it is, where rows may have different instances.

        Raises:
            MissingCapabilityError: the solver does not implement it, or the set is too large to be listed.
        """
        raise MissingCapabilityError(f"{self.name} has no `enumerate_support`: it cannot list its set.")

    def log_partition(self, theta: torch.Tensor, *, instances: Sequence[Any] | None = None) -> torch.Tensor:
        r"""Return the log-partition function of the exponential family over Z, differentiable to second order.

        .. math:: A(\theta) = \log \sum_{z \in Z} \exp(s \langle z, \theta \rangle),
           \qquad s = +1 \text{ for scores}, -1 \text{ for costs}

        Its gradient is s times the marginals, its Hessian the covariance.

        Args:
            theta: Scores or costs, as ``sense`` says, shape ``(N, *event)``.
            instances: What :meth:`prepare` returned for each row, where rows may differ.

        Returns:
            Shape ``(N,)``, of theta's dtype and device.

        Raises:
            MissingCapabilityError: the solver does not implement it.
        """
        raise MissingCapabilityError(
            f"{self.name} has no `log_partition`, so exact marginals are not available."
        )

    def sample(
        self,
        theta: torch.Tensor,
        samples: int,
        *,
        generator: torch.Generator | None = None,
        instances: Sequence[Any] | None = None,
    ) -> torch.Tensor:
        r"""Return exact samples of the exponential family over Z.

        .. math:: p(z; \theta) \propto \exp(s \langle z, \theta \rangle)

        Args:
            theta: Scores or costs, as ``sense`` says, shape ``(N, *event)``; gradients are not tracked.
            samples: Number S of independent samples for each row.
            generator: Source of randomness, on theta's device; None takes torch's global one.
            instances: What :meth:`prepare` returned for each row, where rows may differ.

        Returns:
            States, shape ``(S, N, *event)``, of theta's dtype and device.

        Raises:
            MissingCapabilityError: the solver does not implement it.
        """
        raise MissingCapabilityError(f"{self.name} has no `sample`, so exact samples are not available.")

    def fixed_terms(self, z: Any, *, instances: Sequence[Any] | None = None) -> Any:
        r"""Return what the objective has beside <z, theta>, for solvers whose objective has such terms.

        .. math:: z^*(\theta) = \arg\max_{z \in Z} \langle z, \theta \rangle + h(z)

        A pool of solutions needs it to compare them, see ``solve_ratio`` of :class:`imle_core.SolverLayer`.

        Args:
            z: States, shape ``(N, *event)``; an array, or a tensor if ``solve`` is given tensors.
            instances: What :meth:`prepare` returned for each row, where rows may differ.

        Returns:
            h(z), in the solver's own sense, shape ``(N,)``.

        Raises:
            MissingCapabilityError: by default, because <z, theta> is the whole objective.
        """
        raise MissingCapabilityError(f"{self.name} has no `fixed_terms`: <z, theta> is its whole objective.")

    def clone(self) -> Self:
        """Return an independent solver that gives the same answers, such as one for each thread.

        By default a deep copy; to be overridden where a part of it cannot be copied.
        """
        return copy.deepcopy(self)

    def implements(self, method: str) -> bool:
        """Return whether this solver has an optional method of its own.

        Args:
            method: ``"prepare"``, ``"decode"``, ``"encode"``, ``"is_feasible"``, ``"enumerate_support"``,
                ``"log_partition"``, ``"sample"`` or ``"fixed_terms"``.

        Raises:
            UnknownNameError: there is no such optional method.
        """
        if method not in OPTIONAL_METHODS:
            raise UnknownNameError(
                f"no optional method of a solver is called {method!r}.{closest(method, OPTIONAL_METHODS)} "
                f"There are: {', '.join(OPTIONAL_METHODS)}."
            )
        return getattr(type(self), method) is not getattr(Solver, method)

    def explain(self) -> str:
        """Return in words which method solves this problem and why."""
        return f"{self.name}: {'maximises scores' if self.sense == 'max' else 'minimises costs'}."

    def note_timeout(self, rows: int = 1) -> None:
        """Tell the core, from within ``solve``, that the search for rows ended at a time limit.

        What is returned for them is the best structure found. The layer's report counts them; a direct call, which has
        no report, logs a warning.

        Args:
            rows: How many rows of the batch.
        """
        note_timeouts(self.name, rows)

    def note_outcomes(
        self,
        statuses: Any,
        objectives: Any = None,
        gaps: Any = None,
        *,
        on_timeout: Literal["use", "error"] = "use",
    ) -> None:
        """Tell the core, from within ``solve``, how the search for each row of the batch ended; at most once a batch.

        The layer's report has them, and :class:`imle_core.Outcomes` collects them of direct calls.

        Args:
            statuses: :class:`imle_core.Status` of each row, shape ``(N,)``, in the order of theta.
            objectives: Objective value of each row, fixed terms included, in the solver's own sense and for the theta
                that ``solve`` was given.
            gaps: Proven relative distance of the value to the optimum, at least 0.
            on_timeout: What happens to structures that are the best found when the time ran out: ``"use"`` keeps them
                (counted in the report; a direct call logs a warning), ``"error"`` raises.

        Raises:
            SolverTimeoutError: a row's status is ``TIME_LIMIT`` and ``on_timeout="error"``.
        """
        note_outcomes(self.name, statuses, objectives, gaps, on_timeout)

    def check_declarations(self) -> None:
        """Raise SolverParameterError unless the attributes declare something that the core knows.

        A misspelt declaration would change answers silently.
        """
        choices = {
            "sense": ("max", "min"),
            "output": ("binary", "integer", "real"),
            "negative": ("allow", "error", "clip"),
        }
        for attribute, valid in choices.items():
            value = getattr(self, attribute, None)
            if value not in valid:
                raise SolverParameterError(
                    f"{self.name} declares {attribute} = {value!r}; set it to one of {', '.join(map(repr, valid))}."
                )
        if "solve" in self.__dict__:
            raise SolverParameterError(
                f"{self.name} has a `solve` on the instance, which the core cannot check; define it on the class."
            )
        if not (self.event_shape is None or isinstance(self.event_shape, tuple)):
            raise SolverParameterError(
                f"{self.name} declares event_shape = {self.event_shape!r}; set it to a tuple, or to None."
            )

    def split_shape(
        self, shape: Sequence[int], what: str = "theta"
    ) -> tuple[tuple[int, ...], tuple[int, ...]]:
        """Split the shape of theta, or of what the message is to name, into batch shape and event shape.

        Raises:
            InvalidThetaError: the trailing shape is not this solver's, or there is no batch axis.
        """
        shape = tuple(shape)
        if self.event_shape is None:
            if len(shape) < 2:
                raise InvalidThetaError(
                    f"{self.name}: {what} {shape} has no batch axis; the solver declares no event_shape, so {what} "
                    "must be (batch, *event)."
                )
            return shape[:1], shape[1:]
        ndim = len(self.event_shape)
        batch, event = shape[: len(shape) - ndim], shape[len(shape) - ndim :]
        fits = len(shape) >= ndim
        for i in range(len(event)):  # a loop, whose comparisons torch.compile turns into guards
            fits = fits and (self.event_shape[i] is None or self.event_shape[i] == event[i])
        if not fits:
            wanted = str(self.event_shape).replace("None", "*")
            raise InvalidThetaError(
                f"{self.name}: {what} has shape {shape}, but the solver takes rows of shape {wanted}."
            )
        return batch, event

    @property
    def sizes_differ(self) -> bool:
        """Whether rows of one batch may have different sizes, as :meth:`shape_of` says."""
        return type(self).shape_of is not Solver.shape_of and None in (self.event_shape or ())

    @functools.cached_property
    def takes_tensors(self) -> bool:
        """Whether ``solve`` is given tensors on theta's device instead of NumPy arrays."""
        return _annotated_tensor(inspect.unwrap(type(self).solve))

    @functools.cached_property
    def takes_hint(self) -> bool:
        """Whether ``solve`` can begin at a known structure."""
        return "hint" in inspect.signature(inspect.unwrap(type(self).solve)).parameters


def _annotated_tensor(function: Callable[..., Any]) -> bool:
    """Whether the parameter ``theta`` (the first but ``self``) of a solve function is annotated as a tensor."""
    try:
        parameters = [p for p in inspect.signature(function).parameters.values() if p.name != "self"]
    except ValueError:  # some functions written in C have none
        return False
    return bool(parameters) and "Tensor" in str(parameters[0].annotation)


def _checked_solve(raw: Callable[..., Any]) -> Callable[..., Any]:
    @functools.wraps(raw)
    def solve(self: Solver, theta: Any, *, instances: Any = None, validate: Validation = "basic") -> Any:
        rows = as_rows(self, theta)
        prepared = None
        if instances is not None:
            prepared = [self.prepare_row(instance, row) for row, instance in enumerate(instances)]
        if prepared is not None and self.sizes_differ:
            check_sizes(self, prepared, tuple(rows.shape[1:]))
        z = solve_rows(self, raw.__get__(self), rows, prepared=prepared, validate=validate)
        return z if isinstance(theta, torch.Tensor) else z.numpy()

    solve._checked = True  # type: ignore[attr-defined]
    return solve


def _batched_decode(raw: Callable[..., Any]) -> Callable[..., Any]:
    @functools.wraps(raw)
    def decode(self: Solver, z: Any, *, instance: Any = None, instances: Any = None) -> Any:
        states = z.detach().cpu().numpy() if isinstance(z, torch.Tensor) else np.asarray(z)
        batch = self.split_shape(states.shape, "the state")[0] if self.event_shape is not None else ()
        if not batch:
            return raw(self, states, instance=instance)
        if instances is None:
            return [decode(self, state, instance=instance) for state in states]
        if len(batch) != 1 or len(instances) != len(states):
            raise InvalidInstanceError(
                f"{self.name}: {len(instances)} instances for states of batch shape {batch}; give one for each."
            )
        return [decode(self, state, instance=one) for state, one in zip(states, instances, strict=True)]

    return decode


class FunctionSolver(Solver):
    """A bare function as a solver; what :func:`imle_core.differentiable` makes of it.

    Args:
        function: ``(N, *event) -> (N, *event)``; a tensor if its parameter is annotated so, else an array.
        sense: ``"max"`` for scores, ``"min"`` for costs.
        event_shape: See :class:`Solver`.
    """

    def __init__(
        self,
        function: Callable[..., Any],
        *,
        sense: Sense,
        event_shape: tuple[int | None, ...] | None = None,
    ) -> None:
        self.function = function
        self.sense = sense
        self.event_shape = event_shape
        self.name = getattr(function, "__name__", type(function).__name__)

    def solve(self, theta: Any) -> Any:  # type: ignore[override]
        """Call the function."""
        return self.function(theta)

    def __getstate__(self) -> dict[str, Any]:
        """Pickle a decorated function by the name of the layer that has taken its place."""
        module, name = getattr(self.function, "__module__", None), getattr(self.function, "__qualname__", "")
        holder = getattr(sys.modules.get(module or ""), name, None)
        if getattr(getattr(holder, "solver", None), "function", None) is self.function:
            return {**self.__dict__, "function": _Decorated(module or "", name)}
        return self.__dict__

    def __setstate__(self, state: dict[str, Any]) -> None:
        """Find a decorated function in its layer again."""
        function = state["function"]
        if isinstance(function, _Decorated):
            layer = getattr(importlib.import_module(function.module), function.name)
            function = layer.solver.function
        self.__dict__.update(state, function=function)

    @functools.cached_property
    def takes_tensors(self) -> bool:
        """Whether ``solve`` is given tensors on theta's device instead of NumPy arrays."""
        return _annotated_tensor(self.function)


class _Decorated(NamedTuple):
    """Where the layer stands that a decorator made of a function."""

    module: str
    name: str
