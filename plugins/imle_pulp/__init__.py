"""Integer linear programmes, written in PuLP, as solvers of :mod:`imle_core`.

The solvers are found by name (``imle_core.solver("pulp.ilp", ...)``); :mod:`imle_pulp.plugin` describes them, and their
modules are imported at their first use.
"""
