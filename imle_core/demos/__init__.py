"""Demonstrations that train: run them with ``imle demo``."""
