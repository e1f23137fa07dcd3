"""Graph algorithms on NetworkX graphs, as solvers of :mod:`imle_core`.

The solvers are found by name (``imle_core.solver("networkx.shortest_path", ...)``); :mod:`imle_networkx.plugin`
describes them, and their modules are imported at their first use.
"""
