"""The settings and the random generators of a process, to see whether a solver changes them, and to put them back."""

from __future__ import annotations

import contextlib
import gc
import logging
import os
import random
import signal
import sys
import threading
import warnings
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import torch

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator


class _Setting(NamedTuple):
    """What a library can change for everybody."""

    get: Callable[[], Any]
    put: Callable[[Any], object]


def settings() -> dict[str, Any]:
    """Return what a library can change for everybody, by name."""
    found = {name: setting.get() for name, setting in _settings().items()}
    found |= {f"os.environ[{name!r}]": value for name, value in _environment().items()}
    return _Found(found)


@contextlib.contextmanager
def preserved() -> Iterator[None]:
    """Put the settings and the random generators back in the end: another check is to see the fault too."""
    before = {name: (setting, setting.get()) for name, setting in _settings().items()}
    environment, states = _environment(), random_states()
    try:
        yield
    finally:
        for setting, value in before.values():
            # only what has changed: to set a number of threads, say, has effects of its own
            if setting.get() != value:
                setting.put(value)
        for name in _environment().keys() - environment:
            del os.environ[name]
        os.environ.update(environment)
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


def _settings() -> dict[str, _Setting]:
    """Return every setting but the environment, by name; handlers of signals in the main thread alone."""
    found = dict(_SETTINGS)
    if threading.current_thread() is threading.main_thread():
        found |= {f"the handler of {each.name}": _handler(each) for each in _SIGNALS}
    return found


def _handler(number: signal.Signals) -> _Setting:
    def put(handler: Any) -> None:
        if handler is not None:  # installed by a library in C: cannot be put back
            signal.signal(number, handler)

    return _Setting(lambda: signal.getsignal(number), put)


def _default_device() -> torch.device | None:
    """Return the default device; None where none was set, which is not the same as "cpu"."""
    context = getattr(torch._GLOBAL_DEVICE_CONTEXT, "device_context", None)
    return None if context is None else context.device


def _put_list(of: Callable[[], list[Any]]) -> _Setting:
    def put(items: list[Any]) -> None:
        of()[:] = items

    return _Setting(lambda: list(of()), put)


def _put_filters(filters: list[Any]) -> None:
    warnings.filters[:] = filters  # type: ignore[index]
    warnings._filters_mutated()  # type: ignore[attr-defined] # so that what was looked up by the others is forgotten


_root = logging.getLogger()
_print_options: Any = torch._tensor_str.PRINT_OPTS

_SETTINGS = {
    "torch.get_default_device()": _Setting(_default_device, torch.set_default_device),
    "torch.get_default_dtype()": _Setting(torch.get_default_dtype, torch.set_default_dtype),
    "torch.get_num_threads()": _Setting(torch.get_num_threads, torch.set_num_threads),
    "torch.is_grad_enabled()": _Setting(torch.is_grad_enabled, torch.set_grad_enabled),
    "torch.are_deterministic_algorithms_enabled()": _Setting(
        lambda: (
            torch.are_deterministic_algorithms_enabled(),
            torch.is_deterministic_algorithms_warn_only_enabled(),
        ),
        lambda modes: torch.use_deterministic_algorithms(modes[0], warn_only=modes[1]),
    ),
    "torch.get_float32_matmul_precision()": _Setting(
        torch.get_float32_matmul_precision, torch.set_float32_matmul_precision
    ),
    "torch.set_printoptions()": _Setting(
        lambda: dict(vars(_print_options)), lambda options: vars(_print_options).update(options)
    ),
    "numpy.geterr()": _Setting(np.geterr, lambda kinds: np.seterr(**kinds)),
    "numpy.get_printoptions()": _Setting(np.get_printoptions, lambda options: np.set_printoptions(**options)),
    "the working folder": _Setting(os.getcwd, os.chdir),
    "sys.path": _put_list(lambda: sys.path),
    "the recursion limit": _Setting(sys.getrecursionlimit, sys.setrecursionlimit),
    "the switch interval of threads": _Setting(sys.getswitchinterval, sys.setswitchinterval),
    "gc.isenabled()": _Setting(gc.isenabled, lambda enabled: gc.enable() if enabled else gc.disable()),
    "warnings.filters": _Setting(lambda: list(warnings.filters), _put_filters),
    "the level of the root logger": _Setting(lambda: _root.level, _root.setLevel),
    "the handlers of the root logger": _put_list(lambda: _root.handlers),
    "logging.disable()": _Setting(lambda: _root.manager.disable, logging.disable),
}

_SIGNALS = [
    getattr(signal, name) for name in ("SIGINT", "SIGTERM", "SIGALRM", "SIGCHLD") if hasattr(signal, name)
]

# Set once by a library for its own process-wide use, at import.
_LIBRARIES_OWN = ("KMP_INIT_AT_FORK", "KMP_DUPLICATE_LIB_OK", "PYTEST_CURRENT_TEST")


def _environment() -> dict[str, str]:
    return {name: value for name, value in os.environ.items() if name not in _LIBRARIES_OWN}


class _Found(dict[str, Any]):
    """Settings by name; one that is not there, such as a variable of the environment, is None."""

    def __missing__(self, name: str) -> None:
        return None


def _restore_random_states(states: dict[str, Any]) -> None:
    random.setstate(states["random"])
    np.random.set_state(states["numpy.random"])  # noqa: NPY002
    torch.set_rng_state(states["torch"])
    if "torch.cuda" in states:
        torch.cuda.set_rng_state(states["torch.cuda"])
