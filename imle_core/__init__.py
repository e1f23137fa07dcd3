"""Any combinatorial solver as a layer of a PyTorch model.

The public names are listed in ``__init__.pyi`` and imported at their first use, so that listing solvers
imports neither torch nor any solver library.
"""

import lazy_loader as _lazy

__getattr__, __dir__, __all__ = _lazy.attach_stub(__name__, __file__)
