"""A solver by name: learn what roads cost from the journeys that people made.

Thirty towns, roads between neighbours, and the true travel times unknown. We observe which path each of 400 drivers
took between two towns of their own, and fit the costs so that the shortest paths are those that were driven.
"""

import networkx as nx
import numpy as np
import torch

import imle_core as imle

rng = np.random.default_rng(0)
roads = nx.random_geometric_graph(30, 0.3, seed=1)
roads = roads.subgraph(max(nx.connected_components(roads), key=len)).copy()
solver = imle.solver("networkx.shortest_path", graph=roads, weight="edge")
print(f"{solver.explain()}\n{len(solver.entries)} roads")

towns = list(roads)
journeys = [
    dict(zip(("source", "target"), rng.choice(towns, 2, replace=False).tolist(), strict=True))
    for _ in range(400)
]
true_costs = torch.from_numpy(rng.lognormal(sigma=0.7, size=len(solver.entries))).float()
driven = solver.solve(true_costs.expand(400, -1), instances=journeys)

layer = imle.SolverLayer(solver, imle.IMLE(samples=4, tau=0.2), generator=torch.Generator().manual_seed(0))
numbers = layer.prepare(journeys)  # once, not at every step
raw = torch.zeros(len(solver.entries), requires_grad=True)
optimiser = torch.optim.Adam([raw], lr=0.05)


def share_right(rows: slice) -> float:
    """Share of journeys whose predicted path is exactly the one that was driven."""
    costs = torch.nn.functional.softplus(raw).detach().expand(400, -1)[rows]
    return (layer.eval()(costs, instances=numbers[rows]) == driven[rows]).all(1).float().mean().item()


train, test = slice(0, 300), slice(300, 400)
before = share_right(test)
for _ in range(150):
    optimiser.zero_grad()
    costs = torch.nn.functional.softplus(raw).expand(300, -1)  # costs must not be negative
    paths = layer.train()(costs, instances=numbers[train])
    loss = (paths * (1 - driven[train]) + (1 - paths) * driven[train]).sum(1).mean()  # Hamming distance
    loss.backward()
    optimiser.step()
after = share_right(test)
print(f"held-out journeys predicted exactly: {before:.0%} before, {after:.0%} after training")
print("one of them:", " -> ".join(map(str, solver.decode(driven[-1], instance=journeys[-1]))))
assert after > before + 0.2
