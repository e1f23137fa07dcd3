"""Small knapsacks for the conformance kit."""

from __future__ import annotations

from imle_core.testing import Example

WEIGHTS = (3, 5, 2, 7, 4, 1)
TWO = ((3, 5, 2, 7, 4, 1), (0.4, 0.1, 0.3, 0.0, 0.2, 0.7))


def knapsack() -> list[Example]:
    """Return one and two dimensions by each method, items that do not fit or weigh nothing, also by row."""
    one = {"weights": WEIGHTS, "capacities": 11}
    two = {"weights": TWO, "capacities": (11, 0.9)}
    instances = [
        {"capacities": (11,)},
        {"capacities": (4,)},
        {"weights": (1, 0, 9, 9, 1, 1), "capacities": (2,)},
    ]
    return [
        *(
            Example(parameters={**one, "method": method}, label=method)
            for method in ("64_items", "dynamic_programming", "divide_and_conquer")
        ),
        Example(parameters={**two, "method": "branch_and_bound"}, label="2,branch_and_bound"),
        Example(parameters={**two, "method": "cp_sat"}, label="2,cp_sat"),
        Example(parameters={"weights": WEIGHTS, "capacities": 4}, label="too heavy"),
        Example(parameters={"weights": WEIGHTS}, instances=instances, label="instances"),
    ]
