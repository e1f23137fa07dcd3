"""How HiGHS is set: for searches of milliseconds, for longer ones, and for linear programmes with changing costs."""

from __future__ import annotations

from typing import Any

FACTOR = 2.0**13
"""What costs are multiplied by: the tolerances of HiGHS are absolute, at most 1e-6."""

COMMON: dict[str, Any] = {
    "output_flag": False,
    "threads": 1,
    "parallel": "off",
    "random_seed": 0,
    "small_matrix_value": 1e-12,
}

EXACT: dict[str, Any] = {"mip_rel_gap": 0.0, "mip_abs_gap": 0.0}

LEAN: dict[str, Any] = {
    **COMMON,
    **EXACT,
    "presolve": "off",
    "primal_feasibility_tolerance": 1e-9,
    "dual_feasibility_tolerance": 1e-9,
    "mip_feasibility_tolerance": 1e-9,
    "mip_detect_symmetry": False,
    "mip_heuristic_effort": 0.0,
    "mip_heuristic_run_feasibility_jump": False,  # 4 ms a solve, whatever the size
    "mip_heuristic_run_rins": False,
    "mip_heuristic_run_rens": False,
    "mip_heuristic_run_root_reduced_cost": False,
}
"""Searches of milliseconds: heuristics, symmetry and presolve cost more than they save."""

LARGE: dict[str, Any] = {
    **COMMON,
    **EXACT,
    "primal_feasibility_tolerance": 1e-7,
    "dual_feasibility_tolerance": 1e-7,
    "mip_feasibility_tolerance": 1e-6,
}
"""Searches of seconds: there they pay, and so do the tolerances that HiGHS is tuned for."""

STRICT: dict[str, Any] = {
    "primal_feasibility_tolerance": 1e-10,
    "dual_feasibility_tolerance": 1e-10,
    "mip_feasibility_tolerance": 1e-10,
}
"""The least that HiGHS takes, where an answer is none once its integers are whole."""

ENTRIES = 1_000
"""With more entries in its matrix a programme is large; about where the two settings break even on MIPLIB 3."""

PRIMAL: dict[str, Any] = {
    **COMMON,
    "presolve": "off",
    "primal_feasibility_tolerance": 1e-9,
    "dual_feasibility_tolerance": 1e-9,
    "solver": "simplex",
    "simplex_strategy": 4,
}
"""Another objective leaves a basis primal feasible: the primal simplex method goes on from it."""

SAFE: dict[str, Any] = {
    "presolve": "choose",
    "simplex_strategy": 1,
    "primal_feasibility_tolerance": 1e-7,
    "dual_feasibility_tolerance": 1e-7,
}
"""The defaults of HiGHS, for what the settings above cannot decide."""
