"""The exponential family over the structures of a solver, as a distribution of torch."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, Literal

import torch
from torch import Tensor
from torch.distributions import Distribution, constraints
from torch.distributions.kl import register_kl

from imle_core._calibration import Calibration, calibrate
from imle_core._checks import require_number
from imle_core._layer import SolverLayer
from imle_core.engine._plan import HALF, check_theta, check_theta_type, feasible
from imle_core.errors import InvalidInstanceError, InvalidSolutionError, MissingCapabilityError
from imle_core.estimators import IMLE, Exact
from imle_core.noise import Gumbel, Noise

if TYPE_CHECKING:
    from collections.abc import Sequence

    from imle_core._solver import Solver

__all__ = ["ExponentialFamily"]


class ExponentialFamily(Distribution):
    r"""The discrete exponential family over the structures Z of a solver.

    .. math:: p(z; \theta) = \exp\big(s \langle z, \theta \rangle / \tau - A(\theta / \tau)\big), \qquad z \in Z,
       \quad s = +1 \text{ for scores}, -1 \text{ for costs}

    Its mode is the solver's answer. Where the solver has ``log_partition``, the mean (the marginals),
    log-probabilities, entropy, Kullback-Leibler divergence and covariance are exact, and differentiable to second order
    in theta; where it has not, they raise :class:`~imle_core.errors.MissingCapabilityError`. Samples are exact where
    the solver has ``sample``; else they are **perturb-and-MAP**, ``MAP(theta + tau * noise)``, which is another
    distribution, close to p for a temperature that :meth:`calibrate` finds. :attr:`sampling` tells which.

    Args:
        theta: Scores or costs in the solver's own sense, shape ``(*batch, *event)``, floating.
        solver: A :class:`Solver`, or the name of one whose parameters follow as keywords.
        tau: Temperature, in units of theta, above 0.
        noise: The noise of perturb-and-MAP.
        instances: One instance for each row of the batch, for solvers whose rows may differ.
        validate_args: Whether theta and the values given to :meth:`log_prob` are verified.
        **solver_options: Parameters of the solver, where it is given by name.

    Raises:
        InvalidThetaError: theta is not finite, not floating, or not of the solver's shape.
        ValueError: tau is not above 0.

    Reference:
        Wainwright and Jordan (2008), Graphical models, exponential families, and variational inference, chapter 3.

    Example:
        >>> import torch, imle_core as imle
        >>> p = imle.ExponentialFamily(torch.tensor([0.0, 0.0, 1.0]), "torch.k_subset", tau=1.0, k=1, n=3)
        >>> p.mode, p.mean
        (tensor([0., 0., 1.]), tensor([0.2119, 0.2119, 0.5761]))
        >>> p.log_prob(torch.tensor([0.0, 0.0, 1.0])).exp()
        tensor(0.5761)
    """

    arg_constraints = {"theta": constraints.real}  # noqa: RUF012 - as torch declares it; finite is checked besides
    has_rsample = True
    has_enumerate_support = True

    def __init__(
        self,
        theta: Tensor,
        solver: Solver | str,
        tau: float = 1.0,
        *,
        noise: Noise | None = None,
        instances: Sequence[Any] | None = None,
        validate_args: bool | None = None,
        **solver_options: Any,
    ) -> None:
        # A layer makes the solver of a name, and draws what is not exact.
        self._layer = SolverLayer(solver, IMLE(noise=noise or Gumbel()), reduction="none", **solver_options)
        self.solver = self._layer.solver
        check_theta_type(self.solver, theta)
        require_number("ExponentialFamily", "tau", tau, above=0)
        self.theta = theta
        self.tau = tau
        self.noise = noise or Gumbel()
        batch, event = self.solver.split_shape(theta.shape)
        self.instances = None if instances is None else tuple(instances)
        if self.instances is not None and len(self.instances) != math.prod(batch):
            raise InvalidInstanceError(
                f"{self.solver.name}: {len(self.instances)} instances for a batch of shape {batch}; give one for each "
                "row."
            )
        if validate_args is not False:
            check_theta(self.solver, self._rows.detach(), 1, policy=False)
        super().__init__(torch.Size(batch), torch.Size(event), validate_args=False)
        self._validate_args = validate_args is not False

    @property
    def _rows(self) -> Tensor:
        """Theta as rows, shape ``(N, *event)``, in the precision that is computed in: half precision in float32."""
        batch, event = self.solver.split_shape(self.theta.shape)
        working = torch.float32 if self.theta.dtype in HALF else self.theta.dtype
        return self.theta.to(working).reshape(math.prod(batch), *event)

    @property
    def _sign(self) -> int:
        return 1 if self.solver.sense == "max" else -1

    @property
    def sampling(self) -> Literal["exact", "perturb-and-MAP"]:
        """How :meth:`sample` draws: from p itself, by the solver's ``sample``, or close to it."""
        return "exact" if self.solver.implements("sample") else "perturb-and-MAP"

    @property
    def support(self) -> constraints.Constraint:
        """The structures, as a constraint; of solvers with ``is_feasible``."""
        return _Structures(self)

    @property
    def mode(self) -> Tensor:
        """A most probable structure, shape ``(*batch, *event)``: the solver's answer."""
        z: Tensor = self.solver.solve(self._rows.detach(), instances=self.instances)
        return z.reshape(self.theta.shape)

    @property
    def log_partition(self) -> Tensor:
        """A(theta / tau), shape ``batch``."""
        return self._like_theta(self._log_partition(self._rows).reshape(self._batch_shape))

    @property
    def mean(self) -> Tensor:
        """The marginals E[z], shape ``(*batch, *event)``: s tau times the gradient of the log-partition function."""
        return self._like_theta(self._mean(self._rows).reshape(self.theta.shape))

    @property
    def variance(self) -> Tensor:
        """Of each entry, shape ``(*batch, *event)``; d covariance-vector products where entries are not binary."""
        if self.solver.output == "binary":
            return self.mean * (1 - self.mean)
        d = self._event_shape.numel()
        eye = torch.eye(d, dtype=self.theta.dtype, device=self.theta.device)
        rows = self._rows
        columns = [
            self.covariance_vector_product(unit.reshape(self._event_shape).expand(self.theta.shape)).reshape(
                len(rows), d
            )[:, i]
            for i, unit in enumerate(eye)
        ]
        return torch.stack(columns, 1).reshape(self.theta.shape)

    def covariance_vector_product(self, vector: Tensor) -> Tensor:
        """Return Cov(z) v, shape ``(*batch, *event)``.

        Args:
            vector: v, of a shape that broadcasts to theta's.
        """
        rows = self._rows
        pull_back = torch.func.vjp(self._mean, rows)[1]
        (product,) = pull_back(vector.to(rows).expand(self.theta.shape).reshape(rows.shape))
        return self._like_theta((product * (self._sign * self.tau)).reshape(self.theta.shape))

    def log_prob(self, value: Tensor) -> Tensor:
        """Return log p(z), shape ``(*sample, *batch)``.

        Args:
            value: Structures, shape ``(*sample, *batch, *event)``.

        Raises:
            InvalidSolutionError: a value is no structure of the set; not verified with ``validate_args=False``, nor of
                solvers without ``is_feasible``.
        """
        if self._validate_args and self.solver.implements("is_feasible"):
            valid = _Structures(self).check(value)
            if not valid.all():
                first = tuple((~valid).nonzero()[0].tolist())
                at = value.expand(torch.broadcast_shapes(value.shape, self.theta.shape))[first]  # type: ignore[no-untyped-call]
                raise InvalidSolutionError(
                    f"{self.solver.name}: the value at index {first} is no structure of the set: {at.tolist()}."
                )
        rows = self._rows
        log_partition = self._log_partition(rows).reshape(self._batch_shape)
        inner = self._inner(value.to(rows.dtype), rows.reshape(self.theta.shape))
        return self._like_theta(inner * (self._sign / self.tau) - log_partition)

    def entropy(self) -> Tensor:
        """Return the entropy in nats, shape ``batch``: A - s <mean, theta> / tau."""
        rows = self._rows
        inner = self._inner(self._mean(rows), rows).reshape(self._batch_shape)
        log_partition = self._log_partition(rows).reshape(self._batch_shape)
        return self._like_theta(log_partition - inner * (self._sign / self.tau))

    def sample(self, sample_shape: Sequence[int] = (), *, generator: torch.Generator | None = None) -> Tensor:
        """Return samples, shape ``(*sample_shape, *batch, *event)``; see :attr:`sampling`.

        Args:
            sample_shape: Shape of the samples.
            generator: Source of randomness, on theta's device; None takes torch's global one.
        """
        if self.sampling != "exact":
            with torch.no_grad():
                return self.rsample(sample_shape, generator=generator)
        shape = torch.Size(sample_shape)
        natural = self._rows.detach() / self.tau
        samples = max(shape.numel(), 1)
        z = self.solver.sample(natural, samples, generator=generator, **self._prepared)
        expected = (samples, *natural.shape)
        if tuple(z.shape) != expected:
            raise InvalidSolutionError(
                f"{self.solver.name}: `sample` returned shape {tuple(z.shape)}, expected {expected}: samples, rows, "
                "event."
            )
        return self._like_theta(z[: shape.numel()].reshape(*shape, *self.theta.shape))

    def rsample(
        self, sample_shape: Sequence[int] = (), *, generator: torch.Generator | None = None
    ) -> Tensor:
        """Return samples with a gradient.

        Exact ones with the gradient of :class:`Exact`, where the solver has both ``sample`` and ``log_partition``; else
        perturb-and-MAP with that of :class:`IMLE`.

        Args:
            sample_shape: Shape of the samples.
            generator: Source of randomness, on theta's device; None takes torch's global one.
        """
        shape = torch.Size(sample_shape)
        layer, samples = self._layer, max(shape.numel(), 1)
        exact = self.solver.implements("sample") and self.solver.implements("log_partition")
        layer.generator = generator
        layer.estimator = (
            Exact(samples=samples, tau=self.tau)
            if exact
            else IMLE(samples=samples, noise=self.noise, tau=self.tau)
        )
        z: Tensor = layer(self.theta, instances=self.instances)
        return z[: shape.numel()].reshape(*shape, *self.theta.shape)

    def enumerate_support(self, expand: bool = True) -> Tensor:
        """Return all structures, shape ``(K, *batch, *event)``, or ``(K, 1, ..., *event)`` if not expanded.

        Raises:
            MissingCapabilityError: the solver cannot list its set, or rows have sets of their own.
        """
        if self.instances is not None and len(set(self.instances)) > 1:
            raise MissingCapabilityError(
                f"{self.solver.name}: rows with different instances have different sets; use "
                "solver.enumerate_support."
            )
        instance = self.instances[0] if self.instances else None
        vertices = torch.as_tensor(self.solver.enumerate_support(instance=instance)).to(self.theta.detach())
        vertices = vertices.reshape(-1, *[1] * len(self._batch_shape), *self._event_shape)
        return vertices.expand(-1, *self._batch_shape, *self._event_shape) if expand else vertices

    def calibrate(
        self, noise: Noise, *, samples: int = 1000, generator: torch.Generator | None = None
    ) -> Calibration:
        r"""Return the temperature at which the marginals of perturb-and-MAP are closest to the exact ones.

        .. math:: \min_{t} \Big\| \frac{1}{S} \sum_s \mathrm{MAP}(\theta + t\, x_s) - \mu(\theta) \Big\|

        over t from tau / 20 to 20 tau, with the same draws x_s at each. No noise makes perturb-and-MAP equal p beyond
        one-of-n (Gumbel) and independent binaries (Logistic); the error says how far off it stays.

        Args:
            noise: The noise to fit.
            samples: Number S of draws for each row.
            generator: Source of randomness, on theta's device; None takes torch's global one.

        Returns:
            The temperature, with the error that stays and what of it S draws alone would leave.

        Raises:
            MissingCapabilityError: the solver has no ``log_partition``.

        Example:
            >>> import torch, imle_core as imle
            >>> p = imle.ExponentialFamily(torch.tensor([0.0, 1.0, 2.0]), "torch.k_subset", k=1, n=3)
            >>> g = torch.Generator().manual_seed(0)
            >>> round(p.calibrate(imle.Gumbel(), samples=20_000, generator=g).tau, 1)
            1.0
        """
        return calibrate(self, noise, samples=samples, generator=generator)

    def expand(self, batch_shape: Sequence[int], _instance: Any = None) -> ExponentialFamily:
        """Return this distribution for a larger batch."""
        shape = torch.Size(batch_shape)
        instances = self.instances
        if instances is not None:
            index = torch.arange(len(instances)).reshape(self._batch_shape).expand(shape).flatten()
            instances = tuple(instances[i] for i in index.tolist())
        return ExponentialFamily(
            self.theta.expand(*shape, *self._event_shape),
            self.solver,
            self.tau,
            noise=self.noise,
            instances=instances,
            validate_args=self._validate_args,
        )

    def __repr__(self) -> str:
        return f"ExponentialFamily(theta: {tuple(self.theta.shape)}, {self.solver.name}, tau={self.tau})"

    def _log_partition(self, rows: Tensor) -> Tensor:
        if not self.solver.implements("log_partition"):
            raise MissingCapabilityError(
                f"{self.solver.name} has no `log_partition`, so exact inference is not available; samples are. Sets "
                "that have it are those of the plugin torch, such as torch.k_subset."
            )
        return self.solver.log_partition(rows / self.tau, **self._prepared)

    def _mean(self, rows: Tensor) -> Tensor:
        # Plus nothing, so that there is a gradient also where the set does not depend on theta.
        gradient = torch.func.grad(lambda theta: self._log_partition(theta).sum() + 0 * theta.sum())(rows)
        return gradient * (self._sign * self.tau)

    @property
    def _prepared(self) -> dict[str, Any]:
        if self.instances is None:
            return {}
        return {"instances": [self.solver.prepare(instance) for instance in self.instances]}

    def _inner(self, a: Tensor, b: Tensor) -> Tensor:
        """Return <a, b> over the event; what comes before it is broadcast."""
        product = a * b
        event = len(self._event_shape)
        return product.sum(tuple(range(-event, 0))) if event else product

    def _like_theta(self, x: Tensor) -> Tensor:
        return x.to(self.theta.dtype)


class _Structures(constraints.Constraint):
    """Membership in the set of a family's solver."""

    is_discrete = True

    def __init__(self, family: ExponentialFamily) -> None:
        self.family = family
        self.event_dim = len(family.event_shape)
        super().__init__()

    def check(self, value: Tensor) -> Tensor:
        """Return for each structure, shape ``(*sample, *batch)``, whether it is one."""
        solver, instances = self.family.solver, self.family.instances
        shape = torch.Size(torch.broadcast_shapes(value.shape, self.family.theta.shape))  # type: ignore[no-untyped-call]
        rows = value.detach().expand(shape).reshape(-1, *self.family.event_shape)
        if len(rows) == 0:
            return torch.ones(shape[: len(shape) - self.event_dim], dtype=torch.bool, device=value.device)
        prepared = None
        if instances is not None:
            prepared = [solver.prepare(instance) for instance in instances]
            prepared *= len(rows) // max(len(prepared), 1)
        return feasible(solver, rows, prepared).reshape(shape[: len(shape) - self.event_dim])


@register_kl(ExponentialFamily, ExponentialFamily)  # type: ignore[no-untyped-call, untyped-decorator]
def _kl(p: ExponentialFamily, q: ExponentialFamily) -> Tensor:
    """Return KL(p || q) = A_q - A_p + s <mean_p, theta_p / tau_p - theta_q / tau_q>."""
    if p.solver is not q.solver or p.instances != q.instances:
        raise ValueError(
            f"KL divergence: the families are over different sets, {p.solver.name} and {q.solver.name}; make both "
            "with the same solver object."
        )
    natural = p.theta / p.tau - q.theta / q.tau
    return q.log_partition - p.log_partition + p._inner(p.mean, natural) * p._sign  # broadcast over batches
