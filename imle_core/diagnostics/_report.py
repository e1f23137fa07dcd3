"""The report is made by the engine (imle_core/engine/_report.py); import it from there or from this package."""

from imle_core.engine import Report as Report

__all__ = ["Report"]
