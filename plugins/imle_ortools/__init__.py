"""Routing, constraint programming, flows and assignments by OR-Tools, as solvers of :mod:`imle_core`.

The solvers are found by name (``imle_core.solver("ortools.tsp", ...)``); :mod:`imle_ortools.plugin` describes them, and
their modules are imported at their first use.
"""
