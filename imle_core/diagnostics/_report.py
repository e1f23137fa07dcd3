"""The report of a backward pass, which the engine makes."""

from imle_core.engine import Report as Report

__all__ = ["Report"]
