"""Predict, then optimise, in plain PyTorch: a model of travel costs, trained on the routes that it leads to.

The shortest-path benchmark of Elmachtoub and Grigas (2022). Five features of a day determine what each of the 40 roads
of a grid costs, by a polynomial of degree 6, times noise. A linear model cannot be right about all costs. Fitted by
least squares, it errs where routes suffer from it; trained through the solver, it errs where they do not.
"""

import tempfile
from pathlib import Path

import networkx as nx
import torch
from torch.utils.data import DataLoader, TensorDataset

import imle_core as imle

FEATURES, DEGREE, NOISE = 5, 6, 0.5
GRID = nx.DiGraph((u, v) for u, v in nx.grid_2d_graph(5, 5).edges)  # each road leads south or east
ROADS = GRID.number_of_edges()


class RoutePlanner(torch.nn.Module):
    """Features of a day -> cost of each road -> cheapest route across the grid."""

    def __init__(self) -> None:
        super().__init__()
        self.costs = torch.nn.Linear(FEATURES, ROADS)
        # A linear model may predict costs below zero; in a graph without cycles they do no harm.
        self.route = imle.SolverLayer(
            "networkx.shortest_path",
            imle.IMLE(samples=4, noise=imle.Normal(), tau=0.5),
            graph=GRID,
            source=(0, 0),
            target=(4, 4),
            negative="allow",
        )

    def forward(self, features: torch.Tensor) -> torch.Tensor:
        return self.route(self.costs(features))


def sample_days(*sizes: int, seed: int) -> list[TensorDataset]:
    """Return data sets of days of one city: features, costs of the roads, cost of the best route."""
    generator = torch.Generator().manual_seed(seed)
    influence = torch.randint(2, (ROADS, FEATURES), generator=generator).float()
    features = torch.randn(sum(sizes), FEATURES, generator=generator)
    costs = ((features @ influence.T / FEATURES**0.5 + 3) ** DEGREE + 1) / 3.5**DEGREE
    costs *= torch.empty_like(costs).uniform_(1 - NOISE, 1 + NOISE, generator=generator)
    least = (RoutePlanner().route.solver.solve(costs) * costs).sum(1)
    return [
        TensorDataset(*part) for part in zip(*(x.split(sizes) for x in (features, costs, least)), strict=True)
    ]


def fit_costs(model: RoutePlanner, days: TensorDataset) -> None:
    """Fit the costs by least squares, in closed form, without a thought of routes: the first of two stages."""
    features, costs, _ = days.tensors
    solution = torch.linalg.lstsq(torch.nn.functional.pad(features, (0, 1), value=1.0), costs).solution
    model.costs.load_state_dict({"weight": solution[:-1].T, "bias": solution[-1]})


@torch.no_grad()
def regret(model: RoutePlanner, loader: DataLoader) -> float:
    """Return how much more the chosen routes cost than the best ones would have, as a share of these."""
    model.eval()  # the layer is now the plain solver
    excess = total = 0.0
    for features, costs, least in loader:
        excess += ((model(features) * costs).sum(1) - least).sum().item()
        total += least.sum().item()
    return excess / total


def train(model: RoutePlanner, train_days: DataLoader, valid_days: DataLoader, checkpoint: Path) -> None:
    """Minimise what the routes cost, and keep the model that is best on the validation days."""
    optimiser = torch.optim.Adam(model.parameters(), lr=0.01)
    best = float("inf")
    for _ in range(20):
        model.train()  # perturbed routes, which have a gradient
        for features, costs, least in train_days:
            optimiser.zero_grad()
            loss = ((model(features) * costs).sum(1) - least).mean()
            loss.backward()
            optimiser.step()
        if (found := regret(model, valid_days)) < best:
            best = found
            torch.save(model.state_dict(), checkpoint)


def main() -> None:
    torch.manual_seed(0)
    train_days, valid_days, test_days = sample_days(1000, 250, 2000, seed=0)
    loader = DataLoader(test_days, batch_size=500)

    two_stage = RoutePlanner()
    fit_costs(two_stage, train_days)

    end_to_end = RoutePlanner()
    with tempfile.TemporaryDirectory() as folder:
        checkpoint = Path(folder) / "planner.pt"
        train(end_to_end, DataLoader(train_days, 32, shuffle=True), DataLoader(valid_days, 250), checkpoint)
        end_to_end.load_state_dict(torch.load(checkpoint, weights_only=True))

    print(
        f"two stages, least squares: {regret(two_stage, loader):.1%} regret on {len(test_days)} held-out days"
    )
    print(f"end to end, I-MLE:         {regret(end_to_end, loader):.1%}")
    assert regret(end_to_end, loader) < 0.75 * regret(two_stage, loader)
    features, *_ = test_days[:100]
    solver = end_to_end.route.solver
    assert torch.equal(end_to_end.eval()(features), solver.solve(end_to_end.costs(features)))


if __name__ == "__main__":
    main()
