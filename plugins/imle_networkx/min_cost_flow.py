"""The flow of least cost that meets the demands of all nodes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar, Literal, get_args
from weakref import WeakValueDictionary

import networkx as nx
import numpy as np

from imle_core.errors import InvalidInstanceError, SolverParameterError
from imle_core.integers import exact_integers
from imle_core.parallel import cpus
from imle_networkx._flow_task import (
    LARGEST,
    Lowered,
    Task,
    begin,
    column_of,
    read_capacities,
    read_demands,
    require_bounded,
    require_exact,
    require_feasible,
    to_integer,
)
from imle_networkx._kernels.all_flows import all_flows
from imle_networkx._kernels.flows import SOLVED, network, solve_batch
from imle_networkx._kernels.simplex import UNLIMITED
from imle_networkx._solver import GraphSolver, Method, one_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from numpy.typing import NDArray

    from imle_networkx._snapshot import Snapshot

Negative = Literal["allow", "clip", "error"]

RANGE = 2.0**16
"""A row whose largest cost is so many times that of the flow has lost too many bits of the others."""

SMALL = 2.0**-30
"""Where costs are negative, those that are so much smaller than the largest are not left to rounding."""


class MinCostFlow(GraphSolver):
    r"""The integer flow of least cost that meets the demands of all nodes, for costs per unit on each edge.

    .. math:: z^*(c) = \arg\min_{z \in Z} \langle z, c \rangle, \qquad
       Z = \Big\{z \in \mathbb{N}^E : z \le u, \; \sum_{e \text{ into } v} z_e - \sum_{e \text{ out of } v} z_e = d_v
       \text{ for all nodes } v\Big\}

    Costs have shape ``(N, edges)`` and any sign; a state holds the flow on each edge. As in NetworkX the graph is
    directed, its nodes have a demand d (below zero: a supply; missing: 0) and its edges a capacity u (missing: no
    limit), all integers; a self-loop of negative cost is filled. Of parallel edges, and of those to and fro, each is an
    entry.

    Z holds all integer flows, not the extreme ones alone, but it is an extreme one that is returned, the same for every
    batch and number of threads. Where there are ties, another algorithm may return another. Costs are rounded to
    2^-56 of the largest in their row for 20 nodes, to 2^-46 for 30,000. Where none is below zero, costs that
    exceed the whole flow's, such as those that forbid an edge, do not count as the largest by more than 2^16 times the
    cost of the flow. A row with a cost below zero whose magnitudes differ by more than 2^30 is solved by NetworkX,
    slowly and in exact integers.

    Args:
        graph: A directed graph or multigraph, read once. ``None`` if each row brings its own, see
            :class:`imle_networkx._solver.GraphSolver`.
        demand: Name of the attribute of nodes.
        capacity: Name of the attribute of edges. A name of your own must be that of an attribute of some edge.
        negative: ``"allow"``, ``"clip"`` or ``"error"``, see :class:`imle_core.Solver`. Where edges without a capacity
            form a cycle and costs are above zero, ``"clip"`` keeps noise from making the cycle pay.
        method: ``"compiled"``, or ``"networkx"`` (slow; a reference). ``"auto"`` is ``"compiled"``.
        threads: Threads at most; by default the CPUs that this process may use.
        backend: Backend of NetworkX's dispatch, with ``method="networkx"``.

    Attributes:
        entries: What each cost belongs to: edges ``(u, v)`` or ``(u, v, key)`` in the order of ``graph.edges``.

    Rows may have different graphs, demands and capacities: an instance is a mapping ``{"graph": G, "demand": {node: d},
    "capacity": {edge: u}}``, any of which may be left out. The numbers take the place of the graph's own for the nodes
    and edges that are named. For a layer, whose instances are hashable, write ``{"demand": (("a", -2), ("b", 2))}``.

    Whether there is a flow at all does not depend on the costs, and is found out once for each instance.

    Raises:
        SolverParameterError: a parameter is not valid, or a number in the graph is not an integer of the right kind.
        InvalidInstanceError: an instance is not valid, or neither it nor the graph has any demand.
        InfeasibleError: demands do not sum to zero, or cannot be met, with the row and the nodes that are cut off.
        UnboundedError: a cycle of edges without a capacity costs less than nothing, with the row and the cycle.
        InvalidThetaError: flows can become too large for float32 to hold.

    References:
        Dantzig (1951), Application of the simplex method to a transportation problem. Cunningham (1976), A network
        simplex method. Kiraly and Kovacs (2012), Efficient implementations of minimum-cost flow algorithms.

    Example:
        >>> import networkx as nx, numpy as np
        >>> graph = nx.DiGraph()
        >>> graph.add_nodes_from([("mine", {"demand": -3}), ("town", {"demand": 3})])
        >>> graph.add_edge("mine", "town", capacity=2)
        >>> nx.add_path(graph, ["mine", "port", "town"])
        >>> solver = MinCostFlow(graph)
        >>> solver.entries
        [('mine', 'town'), ('mine', 'port'), ('port', 'town')]
        >>> z = solver.solve(np.array([[1.0, 2.0, 2.0]]))
        >>> z
        array([[2., 1., 1.]])
        >>> solver.decode(z[0])
        {'mine': {'town': 2, 'port': 1}, 'town': {}, 'port': {'town': 1}}
    """

    sense: ClassVar[Literal["min"]] = "min"  # type: ignore[misc]
    output = "integer"
    keys = ("demand", "capacity")
    directed = True
    on_negative = (
        "Negative costs are allowed; a cycle of negative cost none of whose edges has a capacity is an error."
    )

    def __init__(
        self,
        graph: nx.Graph[Any] | None = None,
        *,
        demand: str = "demand",
        capacity: str = "capacity",
        negative: Negative = "allow",
        method: Method = "auto",
        threads: int | None = None,
        backend: str | None = None,
    ) -> None:
        one_of("negative", negative, get_args(Negative))
        self.negative, self.demand, self.capacity = negative, demand, capacity
        self._tasks: WeakValueDictionary[Any, Task] = WeakValueDictionary()
        super().__init__(graph, method=method, threads=threads, backend=backend)

    def _lower(self, snapshot: Snapshot, graph: nx.Graph[Any]) -> Lowered:
        nodes, edges = snapshot.nodes, snapshot.edges
        demands = [(n, data[self.demand]) for n in nodes if self.demand in (data := graph.nodes[n])]
        limits = [(e, data[self.capacity]) for e in edges if self.capacity in (data := graph.edges[e])]
        if edges and not limits and self.capacity != "capacity":
            raise SolverParameterError(
                f"no edge of the {snapshot} has the attribute {self.capacity!r} that capacity= names; leave it out "
                "if no edge has a limit."
            )
        return Lowered(
            network(snapshot.ends, len(nodes)),
            read_demands(demands, snapshot, np.zeros(len(nodes), np.int64)) if demands else None,
            read_capacities(limits, snapshot, np.full(len(edges), UNLIMITED)),
        )

    def _task(self, snapshot: Snapshot, given: dict[str, Any]) -> Task:
        lowered: Lowered = snapshot.lowered
        demand, capacity = lowered.demand, lowered.capacity
        if given["demand"] is not None:
            demand = np.zeros(len(snapshot.nodes), np.int64) if demand is None else demand.copy()
            read_demands(self._pairs("demand", given), snapshot, demand)
        if given["capacity"] is not None:
            capacity = capacity.copy()
            read_capacities(self._pairs("capacity", given), snapshot, capacity)
        if demand is None:
            raise InvalidInstanceError(
                f"{self.name}: no node of the {snapshot} has the attribute {self.demand!r}: set it on the nodes that "
                "send (below zero) and receive, name another one by demand=, or give each row "
                "instances=[{'demand': {node: ...}}]."
            )
        key = snapshot, demand.tobytes(), capacity.tobytes()
        task = self._tasks.get(key)
        if task is None:
            task = self._tasks[key] = begin(snapshot, demand, capacity)
        return task

    def _solve_compiled(self, snapshot: Snapshot, theta: NDArray[Any], tasks: Sequence[Task]) -> NDArray[Any]:
        require_feasible(tasks)
        threads = self.threads or cpus()
        net, starts = snapshot.lowered.net, [task.start for task in tasks]
        state, status = solve_batch(theta, starts, net, threads)
        positive = theta.min(1, initial=0) >= 0
        total = np.einsum("ij,ij->i", state, theta, dtype=float)
        again = np.flatnonzero(positive & (theta.max(1, initial=0) > RANGE * total) & (total > 0))
        costs, total = theta[again].astype(float), total[again]
        while len(again):
            # An edge that costs more than the whole flow is in no better one, whatever else it costs.
            costs = np.minimum(costs, 2 * total[:, None])
            found, _ = solve_batch(costs, [starts[row] for row in again], net, threads)
            state[again] = found
            bound, total = 2 * total, np.einsum("ij,ij->i", found, costs)
            wide = (bound > RANGE * total) & (total > 0)
            again, costs, total = again[wide], costs[wide], total[wide]
        rounded = status != SOLVED
        rounded[~positive] |= _is_wide(theta[~positive])
        for row in np.flatnonzero(rounded).tolist():
            # The rounding of costs alone may make a cycle pay, or keep one from it.
            state[row] = self._solve_by_networkx(snapshot, theta[row : row + 1], tasks[row : row + 1], row)
        require_exact(state, tasks, self.name)
        return state

    def _solve_reference(
        self, graph: nx.Graph[Any], snapshot: Snapshot, costs: NDArray[Any], task: Task
    ) -> NDArray[Any]:
        require_feasible([task])
        integers = exact_integers(costs.tolist())
        require_bounded(snapshot, task, integers)
        # NetworkX itself takes large flows on edges without a limit for a sign that there is no least cost, at times
        # mistakenly. A limit that no flow reaches changes nothing else.
        limits = task.capacity.tolist()
        nx.set_node_attributes(graph, dict(zip(snapshot.nodes, task.demand.tolist(), strict=True)), "demand")
        for *_, data in graph.edges(data=True):
            data.update(weight=integers[data["column"]], capacity=limits[data["column"]])
        flow = nx.min_cost_flow(graph, **self._dispatch)
        state = self._encode(snapshot, flow).astype(costs.dtype)
        require_exact(state[None], [task], self.name)
        return state

    def _decode(self, snapshot: Snapshot, z: NDArray[Any], task: Task) -> dict[Any, dict[Any, Any]]:
        if not self._feasible(snapshot, z[None], [task])[0]:
            raise self._no_structure("the state is no flow within the capacities that meets the demands")
        flow: dict[Any, dict[Any, Any]] = {node: {} for node in snapshot.nodes}
        for (u, v, *key), amount in zip(snapshot.edges, z.astype(np.int64).tolist(), strict=True):
            if key:
                flow[u].setdefault(v, {})[key[0]] = amount
            else:
                flow[u][v] = amount
        return flow

    def _encode(self, snapshot: Snapshot, structure: Any) -> NDArray[np.float64]:
        try:
            flow: dict[Any, Any] = {(u, v): f for u, onward in structure.items() for v, f in onward.items()}
            if snapshot.multigraph:
                flow = {(*edge, key): f for edge, ways in flow.items() for key, f in ways.items()}
        except AttributeError:
            shape = "{u: {v: {key: flow}}}" if snapshot.multigraph else "{u: {v: flow}}"
            raise self._no_structure(f"a flow is a mapping {shape}; got {structure!r}") from None
        state = np.zeros(len(snapshot.edges))
        for edge, amount in flow.items():
            try:
                state[column_of(snapshot, edge, "flow")] = to_integer(amount, f"the flow of edge {edge!r}")
            except SolverParameterError as error:
                raise self._no_structure(str(error).rstrip(".")) from None
            if amount < 0:
                raise self._no_structure(f"the flow of edge {edge!r} is {amount}, which is below zero")
        return state

    def _feasible(self, snapshot: Snapshot, z: NDArray[Any], tasks: Sequence[Task]) -> NDArray[np.bool_]:
        tail, head = snapshot.ends.T
        tasks = tasks[:1] if all(task is tasks[0] for task in tasks) else tasks  # one stands for all
        demand, capacity = np.stack([t.demand for t in tasks]), np.stack([t.capacity for t in tasks])
        within = ((z >= 0) & (z <= np.minimum(capacity, LARGEST)) & (np.floor(z) == z)).all(1)
        flow = np.where(within[:, None], z, 0).astype(np.int64)
        balance = np.zeros((demand.shape[1], len(z)), np.int64)
        np.add.at(balance, head, flow.T)
        np.subtract.at(balance, tail, flow.T)
        return within & (balance == demand.T).all(0)

    def _support(self, snapshot: Snapshot, task: Task) -> NDArray[np.float64]:
        return all_flows(snapshot.lowered.net, task.demand, task.capacity)

    def _how(self, snapshot: Snapshot | None) -> str:
        return (
            "a compiled network simplex in integers, which begins each row at a flow over the fewest edges, found once "
            "for each instance (by NetworkX where there are negative costs and magnitudes differ by more than 2^30)"
        )

    def _how_reference(self) -> str:
        return "min_cost_flow, in exact integers"

    def _pairs(self, key: str, given: dict[str, Any]) -> Iterable[tuple[Any, Any]]:
        """Return what an instance says of nodes or edges: a mapping, or what makes one."""
        try:
            return dict(given[key]).items()
        except (TypeError, ValueError):
            raise InvalidInstanceError(
                f"{self.name}: {key!r} of an instance is a mapping or a tuple of pairs; got {given[key]!r}."
            ) from None

    def __getstate__(self) -> dict[str, Any]:
        """Leave out the tasks of instances."""
        return {**super().__getstate__(), "_tasks": None}

    def __setstate__(self, state: dict[str, Any]) -> None:
        """Begin without tasks of instances."""
        super().__setstate__({**state, "_tasks": WeakValueDictionary()})


def _is_wide(theta: NDArray[Any]) -> NDArray[np.bool_]:
    """Return which rows have magnitudes, other than 0, of very different size."""
    size = np.abs(theta)
    return ((size > 0) & (size < SMALL * size.max(1, initial=0, keepdims=True))).any(1)
