"""Losses over the structures of a solver: one a file, each a ``torch.nn.Module``.

Where there is something to compare with, a target structure or the true parameters, these give a better signal than a
loss behind a layer, at fewer solver calls. The names are listed in ``__init__.pyi`` and imported at their first use.
"""

import lazy_loader as _lazy

__getattr__, __dir__, __all__ = _lazy.attach_stub(__name__, __file__)
