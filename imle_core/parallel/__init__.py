"""Threads for solvers that release the GIL: shares of a batch for kernels, workers with a model each for libraries.

And searches of libraries that Ctrl-C ends.
"""

from ._interruptible import interruptible as interruptible
from ._share import cpus as cpus
from ._share import share as share
from ._workers import Workers as Workers

__all__ = ["Workers", "cpus", "interruptible", "share"]
