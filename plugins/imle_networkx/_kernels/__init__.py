"""Compiled algorithms on arrays: they know neither graphs of NetworkX nor solvers."""
