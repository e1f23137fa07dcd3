"""Small vehicle-routing problems for the conformance kit."""

from __future__ import annotations

from imle_core.testing import Example

_TIMES = ((0, 1, 2, 2, 3), (1, 0, 1, 2, 2), (2, 1, 0, 1, 2), (2, 2, 1, 0, 1), (3, 2, 2, 1, 0))
_EXACT = {"exact": True}
_FIXED = "fixed costs beside theta: a factor of theta changes what is best"
_BESIDE = dict.fromkeys(
    ("check_best_of_answers", "check_near_ties", "check_optimality", "check_scale_invariance"), _FIXED
)
_ONE_BY_ONE = {"batched": False}


def vrp() -> list[Example]:
    """Return problems with each kind of constraint, several depots and vehicles, all methods, and rows that differ."""
    packed = {"demands": (0, 2, 1, 2, 1), "capacities": 3}
    timed = {"travel_times": _TIMES, "windows": ((0, 9), None, (2, 4), None, (0, 5)), "vehicles": 2}
    depots = {
        "nodes": 6,
        "starts": (0, 1),
        "ends": (0, 1),
        "demands": (0, 0, 1, 1, 1, 1),
        "capacities": (3, 2),
    }
    larger = {"demands": (0, *(1, 2, 3) * 4), "capacities": 8}
    return [
        Example(parameters={"problem": packed}, label="capacities", traits=_EXACT),
        Example(parameters={"problem": {**packed, "ends": None}}, label="open", traits=_EXACT),
        Example(parameters={"problem": timed}, label="windows", traits=_EXACT),
        Example(parameters={"problem": depots}, label="depots", traits=_EXACT),
        Example(
            parameters={"problem": {"nodes": 5, "pickups": ((1, 2), (4, 3)), "vehicles": 2}},
            label="pickups",
            traits=_EXACT,
        ),
        Example(
            parameters={"problem": {**packed, "lengths": _TIMES, "max_length": 6}, "negative": "clip"},
            label="lengths,clip",
            traits=_EXACT,
        ),
        Example(
            parameters={"problem": {**packed, "penalties": 1.0, "vehicle_costs": 0.5}},
            label="penalties",
            traits=_EXACT,
            expected_failures=_BESIDE,
        ),
        Example(
            parameters={"problem": packed},
            instances=[{"demands": (0, 1, 1, 1, 1)}, {"demands": (0, 3, 3, 1, 2)}],
            label="instances",
            traits=_EXACT,
        ),
        Example(
            instances=[packed, {"nodes": 4, "vehicles": 2}, {"demands": (0, 1, 1), "capacities": 1}],
            label="sizes",
            traits=_EXACT,
        ),
        Example(parameters={"problem": larger}, label="local search", traits=_ONE_BY_ONE),
        Example(
            parameters={"problem": {**packed, "penalties": 1.0}, "method": "local_search"},
            label="small,local search",
            traits=_ONE_BY_ONE,
        ),
        Example(parameters={"problem": packed, "method": "routing"}, label="routing", traits=_ONE_BY_ONE),
        Example(
            parameters={
                "problem": timed,
                "method": "routing",
                "first_solution_strategy": "PARALLEL_CHEAPEST_INSERTION",
            },
            label="routing,windows",
            traits=_ONE_BY_ONE,
        ),
    ]
