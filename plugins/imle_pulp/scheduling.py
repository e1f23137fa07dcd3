"""``pulp.scheduling``: tasks on machines, when electricity is cheap."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
import pulp

from imle_core.errors import SolverParameterError
from imle_pulp._icon import read_day
from imle_pulp.ilp import ILP
from imle_pulp.lp import LP

if TYPE_CHECKING:
    import os
    from collections.abc import Mapping

    from imle_pulp._icon import Day


def scheduling(
    instance: str | os.PathLike[str] | Mapping[str, Any],
    *,
    relax: bool = False,
    backend: str = "auto",
    time_limit: float | None = None,
    on_timeout: Literal["use", "error"] = "use",
    threads: int | None = None,
) -> ILP:
    r"""Return a solver that runs the tasks of a day on machines, at the least cost of energy.

    .. math:: z^*(\theta) = \arg\min_z \sum_t \theta_t z_t, \qquad
       z_t = h \sum_f p_f \sum_m \sum_{s = t - d_f + 1}^{t} x_{fms}, \qquad \sum_{m, s} x_{fms} = 1, \qquad
       \sum_f u_{fr} \sum_{s = t - d_f + 1}^{t} x_{fms} \le c_{mr}

    Theta is the price of energy in each slot, z the energy used in it: power p times the length of the slot h, in
    hours, of the tasks that run. A task f starts once, in a slot s on a machine m, runs without a break for its
    duration d within its own earliest and latest slots, and uses u of each resource r, of which the machine has c. As
    in the benchmarks of predict-then-optimise on these instances, machines themselves use no energy and cost nothing
    to start and stop: what files say of that is left out.

    Args:
        instance: The path of a file of the ICON challenge; or a mapping ``{"minutes": 30, "capacities": ...,
            "tasks": [...]}``, with the minutes of a slot, capacities of shape ``(machines, resources)`` or
            ``(machines,)``, and tasks ``{"duration": 4, "earliest": 0, "latest": 48, "power": 3.5, "use": ...}``: slots
            that it takes, slot before which it does not start, slot by which it has ended, and use of each resource.
        relax: Whether to solve the linear relaxation, in which parts of a task may run at several times and on several
            machines: its optimum costs no more than that of whole tasks (on the first instance of the challenge it
            costs as much on 19 days of 20), and is found much faster.
        backend: As for :class:`imle_pulp.ilp.ILP`.
        time_limit: Seconds for each row's search, or None.
        on_timeout: As for :class:`imle_pulp.ilp.ILP`.
        threads: Threads at most; None takes the CPUs of this process.

    Returns:
        A solver with theta and states of shape ``(slots,)``; ``decode`` gives the starts that go with energies, as the
        values of variables ``start_TASK_MACHINE_SLOT`` (and ``energy_SLOT``).

    Raises:
        SolverParameterError: the instance is not valid, or a task can run at no time or on no machine.
        InfeasibleError: the tasks together do not fit on the machines.

    References:
        Simonis, O'Sullivan, Mehta, Hurley and De Cauwer (2014), Energy-cost aware scheduling (CSPLib, problem 59).
        Mandi, Demirovic, Stuckey and Guns (2020), Smart predict-and-optimize for hard combinatorial optimization
        problems.

    Example:
        >>> import numpy as np
        >>> wash = {"duration": 2, "earliest": 0, "latest": 4, "power": 3.0, "use": 1}
        >>> heat = {"duration": 1, "earliest": 1, "latest": 3, "power": 5.0, "use": 1}
        >>> solver = scheduling({"minutes": 360, "capacities": [1], "tasks": [wash, heat]})
        >>> z = solver.solve(np.array([[3.0, 1.0, 2.0, 4.0]]))
        >>> z
        array([[18., 18., 30.,  0.]])
        >>> [name for name, value in solver.decode(z[0]).items() if value == 1]
        ['start_0_0_0', 'start_1_0_2']
    """
    problem, energy = schedule_problem(read_day(instance))
    if not relax:
        return ILP(
            problem, energy, backend=backend, time_limit=time_limit, on_timeout=on_timeout, threads=threads
        )
    for name, value, default in (
        ("backend", backend, "auto"),
        ("time_limit", time_limit, None),
        ("on_timeout", on_timeout, "use"),
    ):
        if value != default:
            raise SolverParameterError(
                f"relax=True has no search, so {name}={value!r} means nothing; leave it out."
            )
    return LP(problem, energy, relax=True, threads=threads)


def schedule_problem(day: Day) -> tuple[pulp.LpProblem, list[pulp.LpVariable]]:
    """Return the programme of a day, and its variables that stand for the energy of each slot."""
    problem = pulp.LpProblem("scheduling", pulp.LpMinimize)
    energies: list[list[Any]] = [[] for _ in range(day.slots)]
    loads: dict[tuple[int, int, int], list[Any]] = defaultdict(list)
    for i, task in enumerate(day.tasks):
        share = task.power * day.minutes / 60
        starts = []
        for machine in day.fits(task):
            for slot in task.starts:
                start = problem.add_variable(f"start_{i}_{machine}_{slot}", cat=pulp.LpBinary)
                starts.append(start)
                for running in range(slot, slot + task.duration):
                    energies[running].append((start, share))
                    for resource in np.flatnonzero(task.use).tolist():
                        loads[machine, resource, running].append((start, task.use[resource]))
        problem += pulp.lpSum(starts) == 1, f"task_{i}"
    for (machine, resource, slot), terms in loads.items():
        problem += (
            pulp.LpAffineExpression(terms) <= float(day.capacities[machine, resource]),
            f"capacity_{machine}_{resource}_{slot}",
        )
    energy = [problem.add_variable(f"energy_{slot}") for slot in range(day.slots)]
    for slot, terms in enumerate(energies):
        problem += pulp.LpAffineExpression(terms) == energy[slot], f"slot_{slot}"
    return problem, energy
