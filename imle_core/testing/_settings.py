"""The settings and the random generators of a process, to see whether a solver changes them."""

from __future__ import annotations

import contextlib
import logging
import os
import random
import signal
import sys
import threading
from typing import TYPE_CHECKING, Any

import numpy as np
import torch

if TYPE_CHECKING:
    from collections.abc import Iterator


def settings() -> dict[str, Any]:
    """Return what a library can change for everybody, by name."""
    found: dict[str, Any] = {
        "torch.get_num_threads()": torch.get_num_threads(),
        "torch.get_default_dtype()": torch.get_default_dtype(),
        "torch.get_default_device()": str(torch.get_default_device()),
        "torch.is_grad_enabled()": torch.is_grad_enabled(),
        "torch.are_deterministic_algorithms_enabled()": torch.are_deterministic_algorithms_enabled(),
        "numpy.geterr()": np.geterr(),
        "numpy.get_printoptions()": np.get_printoptions(),
        "the working folder": os.getcwd(),
        "the recursion limit": sys.getrecursionlimit(),
        "the level of the root logger": logging.getLogger().level,
        "the handlers of the root logger": list(logging.getLogger().handlers),
    }
    found |= {
        f"os.environ[{name!r}]": value for name, value in os.environ.items() if name not in _LIBRARIES_OWN
    }
    if threading.current_thread() is threading.main_thread():
        signals = (signal.SIGINT, signal.SIGTERM)
        found |= {f"the handler of {each.name}": signal.getsignal(each) for each in signals}
    return _Settings(found)


# Set once by a library for its own process-wide use, at import.
_LIBRARIES_OWN = ("KMP_INIT_AT_FORK", "KMP_DUPLICATE_LIB_OK", "PYTEST_CURRENT_TEST")


class _Settings(dict[str, Any]):
    """Settings by name; one that is not there, such as a variable of the environment, is None."""

    def __missing__(self, name: str) -> None:
        return None


@contextlib.contextmanager
def preserved() -> Iterator[None]:
    """Put the settings and the random generators back in the end: another check is to see the fault too."""
    before, states = settings(), random_states()
    try:
        yield
    finally:
        _restore_settings(before)
        _restore_random_states(states)


def random_states() -> dict[str, Any]:
    """Return the state of each global random generator, by name."""
    states: dict[str, Any] = {
        "random": random.getstate(),
        "numpy.random": np.random.get_state(),  # noqa: NPY002 - the legacy generator is the one to be looked at
        "torch": torch.get_rng_state(),
    }
    if torch.cuda.is_available() and torch.cuda.is_initialized():  # type: ignore[no-untyped-call]
        states["torch.cuda"] = torch.cuda.get_rng_state()
    return states


def seed_everything(seed: int) -> None:
    """Seed the global random generators."""
    random.seed(seed)
    np.random.seed(seed)  # noqa: NPY002
    torch.manual_seed(seed)


def _restore_random_states(states: dict[str, Any]) -> None:
    random.setstate(states["random"])
    np.random.set_state(states["numpy.random"])  # noqa: NPY002
    torch.set_rng_state(states["torch"])
    if "torch.cuda" in states:
        torch.cuda.set_rng_state(states["torch.cuda"])


def _restore_settings(before: dict[str, Any]) -> None:
    if before["torch.get_num_threads()"] != torch.get_num_threads():
        torch.set_num_threads(before["torch.get_num_threads()"])
    torch.set_default_dtype(before["torch.get_default_dtype()"])
    torch.set_grad_enabled(before["torch.is_grad_enabled()"])
    np.seterr(**before["numpy.geterr()"])
    os.chdir(before["the working folder"])
    sys.setrecursionlimit(before["the recursion limit"])
    logging.getLogger().setLevel(before["the level of the root logger"])
    logging.getLogger().handlers[:] = before["the handlers of the root logger"]
    for name, value in list(os.environ.items()):
        old = before[f"os.environ[{name!r}]"]
        if old is None and name not in _LIBRARIES_OWN:
            del os.environ[name]
        elif old is not None and old != value:
            os.environ[name] = old
    for each in (signal.SIGINT, signal.SIGTERM):
        handler = before[f"the handler of {each.name}"]
        if handler is not None and handler is not signal.getsignal(each):
            signal.signal(each, handler)
