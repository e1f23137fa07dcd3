"""The layers of a model, and where their reports go."""

from __future__ import annotations

import contextlib
import functools
import math
import threading
import time
from collections import deque
from typing import TYPE_CHECKING, Any

from torch import nn

from imle_core._checks import require_count
from imle_core._layer import SolverLayer
from imle_core.errors import RecordError

if TYPE_CHECKING:
    from types import TracebackType

    from ._report import Report
    from ._sink import Record, Sink

_OWN = ("time", "step", "layer")


def watch(model: nn.Module, *sinks: Sink, every: int = 1) -> Watch:
    """Hand the report of each backward pass of each solver layer of a model to sinks, until closed.

    Layers go by their path in the model, ``"planner.layer"``; a model that is itself a layer by its solver's name. A
    layer that is in the model twice is watched once. Without sinks nothing is attached to the layers, so a process that
    is not to write (another rank than the first) can be given none and run the same code.

    Args:
        model: Any module that holds a :class:`~imle_core.SolverLayer`, or one itself; compiled or not.
        *sinks: Where records go, see :class:`Sink`. They are closed with the watch.
        every: Record the first report of each layer and then each ``every``-th: figures are computed, and brought from
            the device, for these alone. Values given to :meth:`Watch.log` are always recorded.

    Returns:
        The watch, a context manager.

    Raises:
        RecordError: the model holds no solver layer.

    Example:
        >>> import torch, imle_core as imle
        >>> from imle_core.diagnostics import Memory, watch
        >>> layer = imle.SolverLayer("torch.k_subset", k=1)
        >>> memory = Memory()
        >>> with watch(layer, memory) as run:
        ...     loss = layer(torch.tensor([[0.1, 0.9]], requires_grad=True)).square().sum()
        ...     loss.backward()
        ...     run.log(loss=loss)
        >>> [(record["step"], record.get("layer"), record.get("loss")) for record in memory]
        [(1, 'torch.k_subset', None), (1, None, 1.0)]
    """
    return Watch(model, *sinks, every=every)


class Watch:
    """The watching of a model, as :func:`watch` begins it.

    Attributes:
        layers: The layers watched, by name.
        step: The last step of any of them, 0 before the first.
    """

    def __init__(self, model: nn.Module, *sinks: Sink, every: int = 1) -> None:
        # Also if the arguments turn out to be wrong: the sinks were opened for this.
        self._closing = contextlib.ExitStack()
        with contextlib.ExitStack() as opened:
            for sink in sinks:
                if not callable(getattr(sink, "write", None)) or not callable(getattr(sink, "close", None)):
                    raise TypeError(f"watch: a sink has the methods write(record) and close(); got {sink!r}.")
                opened.callback(sink.close)
            require_count("watch", "every", every)
            self.layers = find_layers(model)
            self.step = 0
            self._sinks = sinks
            self._every = every
            self._seen = dict.fromkeys(self.layers, 0)
            # Layers on several devices have several threads run their backward passes. A sink may log in its turn.
            self._lock = threading.RLock()
            self._waiting: deque[tuple[int, Record]] = deque()
            self._depth = (
                0  # of the record that is being written: 0, or 1 more than the one that a sink replied to
            )
            self._writing = False
            for name, layer in self.layers.items() if sinks else ():
                handle = layer.register_report_hook(functools.partial(self._take, name))
                opened.callback(handle.remove)
            self._closing = opened.pop_all()

    def log(self, **values: Any) -> None:
        """Record values of the user's own, such as the loss, at the step of the last backward pass.

        A sink may call it too, while it is given a record: what it logs goes to all sinks after that record.

        Args:
            **values: Numbers by name; tensors and arrays of one element are read.

        Raises:
            TypeError: a value is no number.
            ValueError: a name is one that every record has: ``time``, ``step`` or ``layer``.
            RecordError: a sink logs in reply to what it logged itself, which would not end.
        """
        if taken := [name for name in values if name in _OWN]:
            raise ValueError(
                f"log: {', '.join(map(repr, taken))} is set for each record; choose another name."
            )
        numbers = {name: _number(name, value) for name, value in values.items()}
        with self._lock:
            self._write({"time": time.time(), "step": self.step, **numbers})

    def close(self) -> None:
        """Detach from the layers and close the sinks; a second time it does nothing.

        Each sink is closed, also where another one raises.
        """
        self._closing.close()
        self._sinks = ()

    def __enter__(self) -> Watch:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _take(self, name: str, report: Report) -> None:
        with self._lock:
            self.step = max(self.step, report.step)
            count = self._seen[name]
            self._seen[name] = count + 1
            if count % self._every == 0:
                self._write({"time": time.time(), "layer": name, **report.as_dict()})

    def _write(self, record: Record) -> None:
        """Give a record to all sinks; one that comes from within a sink, when all have had the one before."""
        if not self._writing:
            self._waiting.append((0, record))
            self._write_waiting()
        elif self._depth < len(self._sinks):
            self._waiting.append((self._depth + 1, record))
        else:  # a chain of more replies than sinks has one of them in it twice
            raise RecordError(
                "log: a sink logs in reply to what it logged itself, which would not end. Let it reply to records "
                "that have a 'layer' alone, or to none of its own names."
            )

    def _write_waiting(self) -> None:
        self._writing = True
        try:
            while self._waiting:
                self._depth, record = self._waiting.popleft()
                for sink in self._sinks:
                    sink.write(record)
        finally:
            self._waiting.clear()
            self._writing = False


def find_layers(model: nn.Module) -> dict[str, SolverLayer]:
    """Return the solver layers of a model by their paths; one at the root by the name of its solver.

    Raises:
        RecordError: there is none.
    """
    if not isinstance(model, nn.Module):
        raise TypeError(f"a model is a torch.nn.Module; got {type(model).__name__}.")
    layers = {}
    for path, module in model.named_modules():
        if isinstance(module, SolverLayer):
            # What torch.compile wraps a module in is no part of the path that its owner wrote.
            parts = [part for part in path.split(".") if part != "_orig_mod"]
            layers[".".join(parts) or module.solver.name] = module
    if not layers:
        raise RecordError(
            f"{type(model).__name__} holds no imle_core.SolverLayer among its modules, so there is nothing to watch. "
            "A layer is found if it is assigned to an attribute of a module, or to an nn.ModuleList or nn.ModuleDict."
        )
    return layers


def _number(name: str, value: Any) -> int | float:
    """Return one number, of tensors and arrays of one element too."""
    item = getattr(value, "item", None)
    if item is not None and math.prod(getattr(value, "shape", ())) == 1:
        value = item()
    if not isinstance(value, (int, float)):
        shape = f" of shape {tuple(value.shape)}" if hasattr(value, "shape") else ""
        raise TypeError(f"log: {name} must be a number; got {type(value).__name__}{shape}.")
    return int(value) if isinstance(value, bool) else value
