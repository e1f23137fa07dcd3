"""The engine: opaque torch operators around one batch of solves, and the autograd Function around those."""

from ._binding import Binding as Binding
from ._family import family_sample as family_sample
from ._family import marginals as marginals
from ._function import ExpectationFunction as ExpectationFunction
from ._function import SolveFunction as SolveFunction
from ._lookup import resolve_pool as resolve_pool
from ._operators import begin as begin
from ._operators import map_solve as map_solve
from ._operators import perturb as perturb
from ._report import Report as Report
from ._sparsemap import sparsemap as sparsemap

__all__ = [
    "Binding",
    "ExpectationFunction",
    "Report",
    "SolveFunction",
    "begin",
    "family_sample",
    "map_solve",
    "marginals",
    "perturb",
    "resolve_pool",
    "sparsemap",
]
