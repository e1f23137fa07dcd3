"""Under which licences the libraries behind the solvers are, from their metadata."""

from __future__ import annotations

import importlib.metadata
from dataclasses import dataclass


@dataclass(frozen=True)
class Commercial:
    """A commercial solver: its distribution, and the variables that name a file or folder of its licence."""

    distribution: str
    variables: tuple[str, ...]


COMMERCIAL = (
    Commercial("gurobipy", ("GRB_LICENSE_FILE",)),
    Commercial("cplex", ("ILOG_LICENSE_FILE",)),
    Commercial("xpress", ("XPAUTH_PATH", "XPRESS")),
    Commercial("mosek", ("MOSEKLM_LICENSE_FILE",)),
    Commercial("coptpy", ("COPT_LICENSE_DIR",)),
)


def licence_of(distribution: str) -> str:
    """Return the licence that an installed distribution declares, in one line."""
    metadata = importlib.metadata.metadata(distribution)
    if "License-Expression" in metadata:
        return metadata["License-Expression"]
    classifiers = [text for text in metadata.get_all("Classifier") or [] if text.startswith("License ::")]
    if classifiers:
        return ", ".join(text.rpartition(" :: ")[2] for text in classifiers)
    text = "".join(metadata.get_all("License") or [])
    return text.strip().partition("\n")[0] or "not declared"
