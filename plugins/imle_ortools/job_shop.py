"""Job-shop scheduling, where theta are prices of what a schedule takes."""

from __future__ import annotations

import dataclasses
import operator
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, ClassVar, Literal

import numpy as np

from imle_core.errors import InvalidInstanceError, SolverParameterError, closest
from imle_ortools._limits import OnTimeout, require_limits
from imle_ortools._sat_solver import SatSolver
from imle_ortools._shop import Shop, Statistic, build, read_jobs, read_shop

if TYPE_CHECKING:
    from collections.abc import Hashable

    from numpy.typing import NDArray

    from imle_ortools._sat_model import SatModel

_OURS = {
    "linearization_level": 0
}  # relaxations say little about disjunctions, and took two thirds of the time
_KEYS = ("jobs", "durations", "release", "deadline")


class JobShop(SatSolver):
    r"""The cheapest schedule of jobs on machines that do one task at a time.

    .. math:: z^*(\theta) = \arg\min_{z \in Z} \langle z, \theta \rangle, \qquad Z = \{z(s) : s \text{ a schedule}\}

    A job is a list of tasks ``(machine, duration)``, done in this order. A schedule gives each task a time to begin; it
    is not interrupted. ``objective`` says what of a schedule theta are the prices of:

    - ``"completion"``: z_j is the time at which job j is done, and theta_j its weight (J entries): weighted completion.
    - ``"makespan"``: z is the time at which all jobs are done (1 entry).
    - ``"machines"``: z_m is the time at which machine m has done its last task (M entries, in the order in which the
      jobs name them): machines that are rented until then.
    - ``"load"``: z_t is the power drawn in the time from t to t + 1 (``horizon`` entries): prices of energy by hour.

    Several at once, as ``("completion", "makespan")``, put their entries one behind the other. Durations, release times
    and deadlines are no theta, because a schedule's cost is not linear in them: they belong to the instance.

    Args:
        jobs: For each job its tasks ``(machine, duration)``; durations are integers of at least 0.
        objective: One statistic, or several.
        horizon: Time at which all is done at the latest; by default as long as all tasks one after the other.
        release: For each job the time before which it does not begin; None for 0.
        deadline: For each job the time at which it must be done, None in it for no limit.
        power: What a machine draws while it runs, by machine, integers; 1 where none is given.
        negative: What happens to prices below zero: ``"error"``, ``"clip"``, or ``"allow"``, which makes a job with a
            negative weight end as late as the horizon lets it.
        time_limit: Seconds for a row, above 0; None for no limit.
        on_timeout: At the time limit, ``"use"`` the best schedule found, or ``"error"``.
        parameters: Parameters of CP-SAT under its own names, see :class:`imle_ortools.cp_sat.CpSat`; beside those,
            ``linearization_level=0`` is ours, except for prices of load.
        threads: Rows that are solved at the same time; by default as many as there are CPUs.

    Attributes:
        entries: What each entry of theta stands for: ``("completion", job)``, ``("makespan",)``,
            ``("machine", machine)``, ``("load", slot)``.

    Rows may have different jobs: an instance is a mapping with any of ``"durations"`` (for each job those of its
    tasks), ``"jobs"`` (as many, on the same machines), ``"release"`` and ``"deadline"``, as tuples. The horizon is the
    constructor's if that gave one or theta are prices of load, else that of the instance.

    ``decode`` returns for each job the times at which its tasks begin, of the schedule with these statistics that
    begins earliest; ``encode`` takes such times.

    Raises:
        SolverParameterError: a parameter is not valid.
        InvalidInstanceError: an instance is not valid.
        InfeasibleError: no schedule meets the deadlines or the horizon of a row.
        SolverTimeoutError: none was found within the time limit.

    References:
        Fisher and Thompson (1963), Probabilistic learning combinations of local job-shop scheduling rules. Simonis,
        O'Sullivan, Mehta, Hurley and De Cauwer (2014), CSPLib problem 059: Energy-cost aware scheduling.

    Example:
        >>> import numpy as np
        >>> jobs = [[("saw", 3), ("paint", 1)], [("saw", 1), ("paint", 2)]]
        >>> solver = JobShop(jobs)
        >>> z = solver.solve(np.array([[1.0, 1.0], [5.0, 1.0]]))
        >>> z
        array([[5., 3.],
               [4., 6.]])
        >>> solver.decode(z)
        [[[1, 4], [0, 1]], [[0, 3], [3, 4]]]
    """

    sense: ClassVar[Literal["min"]] = "min"  # type: ignore[misc]
    output = "integer"
    scale_invariant = True

    def __init__(
        self,
        jobs: Sequence[Sequence[tuple[Hashable, int]]],
        *,
        objective: Statistic | Sequence[Statistic] = "completion",
        horizon: int | None = None,
        release: Sequence[int] | None = None,
        deadline: Sequence[int | None] | None = None,
        power: Mapping[Hashable, int] | None = None,
        negative: Literal["error", "clip", "allow"] = "error",
        time_limit: float | None = None,
        on_timeout: OnTimeout = "use",
        parameters: Mapping[str, Any] | None = None,
        threads: int | None = None,
    ) -> None:
        require_limits(time_limit, on_timeout)
        if negative not in ("error", "clip", "allow"):
            raise SolverParameterError(f"negative must be 'error', 'clip' or 'allow'; got {negative!r}.")
        self._horizon, self._power, self.negative = horizon, dict(power or {}), negative
        self._shop = read_shop(
            jobs, release=release, deadline=deadline, horizon=horizon, power=power, statistics=objective
        )
        model = build(self._shop)
        self.entries = self._shop.entries
        self.event_shape = (len(self.entries),)
        super().__init__(
            model,
            time_limit=time_limit,
            on_timeout=on_timeout,
            parameters={**_OURS, **(parameters or {})} if "load" not in self._shop.statistics else parameters,
            threads=threads,
        )

    def prepare(self, instance: Any) -> SatModel:
        """Return the model of an instance.

        Raises:
            InvalidInstanceError: it is no mapping, has another key, or does not fit the shape of theta.
        """
        return build(self._shop_of(instance))

    def decode(  # type: ignore[override]
        self, z: NDArray[Any], *, instance: Any = None
    ) -> list[list[int]]:
        """Return for each job the times at which its tasks begin."""
        shop = self._shop_of(instance)
        tasks = sum(map(len, shop.jobs))
        # The least sum of all starts, so that the schedule has no needless gaps.
        model = dataclasses.replace(self._model_of(instance), others=np.arange(tasks), fixed=np.ones(tasks))
        starts = iter(self._complete(model, z)[:tasks].astype(int).tolist())
        return [[next(starts) for _ in job] for job in shop.jobs]

    def encode(self, structure: Sequence[Sequence[int]], *, instance: Any = None) -> NDArray[np.float64]:
        """Return the statistics of a schedule, given for each job by the times at which its tasks begin.

        Raises:
            InvalidSolutionError: it does not have one integer for each task; a task begins before the one before it is
                done, or its job is released; is done after its deadline or the horizon; or meets another one on its
                machine.
        """
        shop = self._shop_of(instance)
        try:
            times = [[operator.index(time) for time in job] for job in structure]
        except TypeError:
            times = []
        if list(map(len, times)) != list(map(len, shop.jobs)):
            raise self._no_structure(
                "the schedule does not have one time, an integer, for each task of each job"
            )
        fault = shop.fault(times)
        if fault:
            raise self._no_structure(fault)
        return shop.measure(times)

    def _shop_of(self, instance: Any) -> Shop:
        own = self._shop
        if instance is None:
            return own
        if not isinstance(instance, Mapping):
            raise InvalidInstanceError(
                f"{self.name}: an instance is a mapping with keys among {', '.join(_KEYS)}; got {instance!r}."
            )
        for key in instance.keys() - set(_KEYS):
            raise InvalidInstanceError(
                f"{self.name}: unknown key {key!r} in an instance.{closest(str(key), _KEYS)} Keys: {', '.join(_KEYS)}."
            )
        try:
            jobs = read_jobs(_with_durations(instance.get("jobs", own.jobs), instance.get("durations")))
            machines = {machine for job in jobs for machine, _ in job}
            if machines != set(own.machines) or list(map(len, jobs)) != list(map(len, own.jobs)):
                raise SolverParameterError(
                    "the jobs of an instance must be as many, of as many tasks, and on the same machines as those of "
                    f"the constructor ({len(own.jobs)} jobs on {len(own.machines)} machines)."
                )
            shop = read_shop(
                jobs,
                release=instance.get("release", own.release),
                deadline=instance.get("deadline", own.deadline),
                horizon=own.horizon if "load" in own.statistics else self._horizon,
                power=self._power,
                statistics=own.statistics,
            )
        except SolverParameterError as error:
            raise InvalidInstanceError(f"{self.name}: {error}") from None
        return dataclasses.replace(shop, machines=own.machines, power=own.power)


def _with_durations(jobs: Any, durations: Any) -> Any:
    if durations is None:
        return jobs
    try:
        return [
            [(machine, duration) for (machine, _), duration in zip(job, given, strict=True)]
            for job, given in zip(jobs, durations, strict=True)
        ]
    except (TypeError, ValueError):
        raise SolverParameterError(
            f"durations must have one number for each task of each job; got {durations!r}."
        ) from None
