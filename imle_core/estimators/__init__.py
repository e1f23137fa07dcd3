"""Gradient estimators: one a file. An estimator is a frozen value; names resolve to them.

The names are listed in ``__init__.pyi`` and imported at their first use, so that the catalogue can be read without
importing torch.
"""

import lazy_loader as _lazy

__getattr__, __dir__, __all__ = _lazy.attach_stub(__name__, __file__)
