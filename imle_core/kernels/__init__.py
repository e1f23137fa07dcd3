"""Compiled kernels of the plugins: the one way in which a function is compiled. Needs numba, which plugins bring."""

from ._compile import compiled as compiled

__all__ = ["compiled"]
