"""The conformance kit: whether a solver does what its contract says, in a notebook, in pytest, on the command line."""

from ._catalogue import LEVELS as LEVELS
from ._catalogue import Check as Check
from ._catalogue import all_checks as all_checks
from ._example import Example as Example
from ._outcome import CheckSkipped as CheckSkipped
from ._outcome import ConformanceError as ConformanceError
from ._pytest import parametrize_with_checks as parametrize_with_checks
from ._report import CheckResult as CheckResult
from ._report import ConformanceReport as ConformanceReport
from ._run import SolverCheck as SolverCheck
from ._run import check_solver as check_solver
from ._run import solver_checks as solver_checks
