"""What a training run does inside its solver layers: reports, and where they go."""

from ._report import Report as Report

__all__ = ["Report"]
