"""A training run as one page of HTML that needs nothing else."""

from ._page import write_html as write_html

__all__ = ["write_html"]
