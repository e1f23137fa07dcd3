"""What a training run does inside its solver layers: reports, and where they go.

The public names are listed in ``__init__.pyi`` and imported at their first use: a layer that nobody watches imports
nothing of this, and ``imle report`` imports no torch.
"""

import lazy_loader as _lazy

__getattr__, __dir__, __all__ = _lazy.attach_stub(__name__, __file__)
