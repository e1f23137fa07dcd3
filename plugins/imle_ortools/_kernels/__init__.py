"""Compiled algorithms on arrays: they know neither OR-Tools nor solvers."""
