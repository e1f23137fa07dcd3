"""The command ``imle``."""

from ._app import main as main
