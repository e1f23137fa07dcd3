"""The checks, one file a level; importing them enters them into the catalogue."""

from . import _api as _api
from . import _contract as _contract
from . import _exact_inference as _exact_inference
from . import _gradient as _gradient
from . import _mathematics as _mathematics
from . import _robustness as _robustness
from . import _sampling as _sampling
from . import _speed as _speed
from . import _traits as _traits
