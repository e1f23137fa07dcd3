"""The engine: opaque torch operators around one batch of solves, and the autograd Function around those."""

from ._binding import Binding as Binding
from ._function import SolveFunction as SolveFunction
from ._operators import map_solve as map_solve
from ._operators import perturb as perturb

__all__ = ["Binding", "SolveFunction", "map_solve", "perturb"]
