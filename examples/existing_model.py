"""A layer in an existing model: a classifier that may look at 3 of 20 features, and learns which.

Only features 2, 5 and 11 matter, and which of them carries what depends on nothing the classifier is told.
"""

import torch

import imle_core as imle

torch.manual_seed(0)
x = torch.randn(2000, 20)
y = ((x[:, 2] + x[:, 5] * x[:, 11].sign()) > 0).long()


class Selective(torch.nn.Module):
    """Chooses 3 features for the whole data set, and classifies by those alone."""

    def __init__(self) -> None:
        super().__init__()
        self.scores = torch.nn.Parameter(torch.zeros(20))
        self.select = imle.SolverLayer("torch.k_subset", imle.IMLE(samples=1, tau=0.5), k=3)
        self.classify = torch.nn.Sequential(torch.nn.Linear(20, 64), torch.nn.ReLU(), torch.nn.Linear(64, 2))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        mask = self.select(self.scores.expand(len(x), -1))  # a subset of its own for each row, in training
        return self.classify(x * mask)


model = Selective()
optimiser = torch.optim.Adam(model.parameters(), lr=0.01)
for _ in range(300):
    rows = torch.randint(1600, (256,))
    optimiser.zero_grad()
    torch.nn.functional.cross_entropy(model(x[rows]), y[rows]).backward()
    optimiser.step()

model.eval()  # the layer is now the plain solver: the 3 features with the highest scores
accuracy = (model(x[1600:]).argmax(1) == y[1600:]).float().mean().item()
chosen = model.select.solver.decode(model.select(model.scores))
print(f"features chosen: {chosen}; held-out accuracy {accuracy:.0%}")
assert chosen == [2, 5, 11]
assert accuracy > 0.85
