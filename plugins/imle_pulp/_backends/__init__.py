"""The solver libraries that a programme can be given to, each in a module of its own and imported at its first use.

``make(name, program)`` returns a :class:`Model`, the programme held by the library, and ``model.solve(cost)`` an
:class:`Answer`.
"""

from ._base import Answer as Answer
from ._base import Model as Model
from ._base import Outcome as Outcome
from ._clean import FEASIBILITY as FEASIBILITY
from ._clean import broken as broken
from ._levels import unsettled as unsettled
from ._table import NAMES as NAMES
from ._table import can_solve as can_solve
from ._table import candidates as candidates
from ._table import is_command as is_command
from ._table import make as make
from ._table import relaxation as relaxation

__all__ = [
    "NAMES",
    "Answer",
    "Model",
    "Outcome",
    "broken",
    "can_solve",
    "candidates",
    "is_command",
    "make",
    "relaxation",
    "unsettled",
]
