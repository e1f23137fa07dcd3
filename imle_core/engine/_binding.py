"""What a torch operator finds under the handle that it is given.

An operator of a compiled graph takes tensors and numbers only. A layer therefore *binds* its solver and estimator to a
handle, and the operator looks the binding up.
"""

from __future__ import annotations

import secrets
import threading
import weakref
from typing import TYPE_CHECKING, Any

import torch

from imle_core.errors import ImleError, InvalidInstanceError, InvalidThetaError

from ._ledger import Ledger

if TYPE_CHECKING:
    from collections.abc import Sequence

    from torch import Tensor

    from imle_core._pool import SolutionPool
    from imle_core._solver import Solver, Validation
    from imle_core.estimators import Estimator

_live: weakref.WeakValueDictionary[int, Binding] = weakref.WeakValueDictionary()
_lock = threading.Lock()


class Binding:
    """A live solver with the estimator, the generator and the validation that a layer uses it with.

    A copy, by deepcopy or pickle, has a handle of its own, so that a copied layer never runs the solver of the first,
    and a new ledger.
    """

    def __init__(
        self,
        solver: Solver,
        estimator: Estimator,
        generator: torch.Generator | None = None,
        validate: Validation = "basic",
        instances: Sequence[Any] = (),
        pool: SolutionPool | None = None,
        solve_ratio: float = 1.0,
    ) -> None:
        self.solver = solver
        self.estimator = estimator
        self.generator = generator
        self.validate: Validation = validate
        self.pool = pool
        self.solve_ratio = solve_ratio
        self.ledger = Ledger()
        # Random, so that a program that was saved elsewhere finds nothing here instead of another layer's solver.
        self.key = secrets.randbits(62)
        _live[self.key] = self
        self._instances: list[Any] = []
        self._prepared: list[Any] = []
        self._number: dict[Any, int] = {}
        for row, instance in enumerate(instances):
            self._register(instance, row)

    def handle(self) -> Tensor:
        """Return a new handle: an int64 tensor without dimensions, as which a graph of any kind can keep it.

        A tensor and not a number, for two reasons. A compiled graph would take a number for a constant, and compile
        anew for each layer. And the tensor keeps this binding alive: a graph that saved it for its backward pass
        outlives the layer that made it.
        """
        handle = torch.tensor(self.key, device="cpu")  # whatever the default device is
        handle._imle_binding = self  # type: ignore[attr-defined]
        return handle

    def __reduce__(self) -> tuple[Any, ...]:
        """Copy everything but the key; the numbers of instances stay valid."""
        generator = self.generator
        state = (
            None if generator is None else (str(generator.device), generator.get_state().numpy().tobytes())
        )
        kept = (self.solver, self.estimator, self.validate, self._instances, self.pool, self.solve_ratio)
        return _restore, (state, *kept)

    @staticmethod
    def of(handle: Tensor) -> Binding:
        """Return the live binding of a handle."""
        binding = _live.get(int(handle))
        if binding is None:
            raise ImleError(
                "this compiled or exported program was made from a solver layer that no longer lives, or lives in "
                "another process. Keep the layer while the program runs, and export it anew in each process."
            )
        return binding

    @property
    def sign(self) -> int:
        """1 for a maximising solver, -1 for a minimising one: inside, everything maximises."""
        return 1 if self.solver.sense == "max" else -1

    def check_generator(self, theta: Tensor) -> None:
        """Raise InvalidThetaError unless noise for theta can be drawn from the generator."""
        generator = self.generator
        if generator is not None and generator.device.type != theta.device.type:
            raise InvalidThetaError(
                f"{self.solver.name}: the generator is on {generator.device} but theta is on {theta.device}; "
                f"make it with torch.Generator(device={str(theta.device)!r})."
            )

    def prepare(self, instances: Sequence[Any]) -> Tensor:
        """Return the numbers, int64, of instances, each prepared by the solver at its first appearance.

        Equal instances share a number, and stay prepared as long as the layer lives.
        """
        if isinstance(instances, (str, bytes, dict)) or not hasattr(instances, "__len__"):
            raise InvalidInstanceError(
                f"{self.solver.name}: instances must be a sequence with one instance for each row; "
                f"got {type(instances).__name__}."
            )
        return torch.tensor(
            [self._register(instance, row) for row, instance in enumerate(instances)],
            dtype=torch.int64,
            device="cpu",
        )

    def _register(self, instance: Any, row: int) -> int:
        try:
            key = (
                (dict, frozenset(instance.items()))
                if isinstance(instance, dict)
                else (type(instance), instance)
            )
            number = self._number.get(key)
        except TypeError:
            # Known by its identity, it would be kept for ever, and not be noticed to have changed.
            raise InvalidInstanceError(
                f"{self.solver.name}: row {row}: an instance must be hashable, or a dict with hashable values (a tuple "
                "in place of a list, a set or an array, and a tuple of pairs in place of a dict within); got "
                f"{instance!r}."
            ) from None
        if number is None:
            with _lock:
                self._prepared.append(self.solver.prepare_row(instance, row))
                self._instances.append(instance)
                number = self._number[key] = len(self._prepared) - 1
        return number

    def instances_of(self, numbers: Tensor | None) -> dict[str, list[Any]]:
        """Return the keyword ``instances`` for a method of the solver, or none where rows have no instances."""
        return {} if numbers is None else {"instances": self.prepared(numbers)}

    def numbers(self, numbers: Tensor) -> list[int]:
        """Return the numbers of instances that an int64 tensor holds.

        Raises:
            InvalidInstanceError: they are not numbers that :meth:`prepare` returned.
        """
        if numbers.is_floating_point() or numbers.dtype == torch.bool:
            raise InvalidInstanceError(
                f"{self.solver.name}: numbers of instances are integers; got {numbers.dtype}."
            )
        found: list[int] = numbers.tolist()
        for number in found:
            if not 0 <= number < len(self._prepared):
                raise InvalidInstanceError(
                    f"{self.solver.name}: instance number {number} is not known here; numbers come from this layer's "
                    "own `prepare(instances)`."
                )
        return found

    def prepared(self, numbers: Tensor) -> list[Any]:
        """Return the prepared instances of an int64 tensor of numbers."""
        return [self._prepared[number] for number in self.numbers(numbers)]

    def prepared_at(self, numbers: Sequence[int] | None) -> list[Any] | None:
        """Return the prepared instances of numbers; None of None."""
        return None if numbers is None else [self._prepared[number] for number in numbers]

    def given(self, numbers: Sequence[int] | None) -> list[Any] | None:
        """Return the user's instances of numbers; None of None."""
        return None if numbers is None else [self._instances[number] for number in numbers]


def _restore(
    state: tuple[str, bytes] | None,
    solver: Solver,
    estimator: Estimator,
    validate: Validation,
    instances: Sequence[Any],
    pool: SolutionPool | None,
    solve_ratio: float,
) -> Binding:
    generator = None
    if state is not None:
        # torch pickles a generator through shared memory, which a spawned process cannot open
        device, saved = state
        generator = torch.Generator(device)
        generator.set_state(torch.frombuffer(bytearray(saved), dtype=torch.uint8))
    return Binding(solver, estimator, generator, validate, instances, pool, solve_ratio)
