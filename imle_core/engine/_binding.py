"""What a torch operator finds under the integer that it is given.

An operator of a compiled graph takes tensors and integers only. A layer therefore *binds* its solver and estimator to
an integer handle, and the operator looks the binding up.
"""

from __future__ import annotations

import itertools
import weakref
from typing import TYPE_CHECKING, Any

import torch

from imle_core.errors import InvalidInstanceError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from torch import Tensor

    from imle_core._solver import Solver, Validation
    from imle_core.estimators import Estimator

_live: weakref.WeakValueDictionary[int, Binding] = weakref.WeakValueDictionary()
_count = itertools.count(1)


class Binding:
    """A live solver with the estimator, the generator and the validation that a layer uses it with.

    It lives as long as the layer, or a graph that must still be back-propagated, holds it. A copy, by deepcopy or
    pickle, has a handle of its own, so that a copied layer never runs the solver of the first.
    """

    def __init__(
        self,
        solver: Solver,
        estimator: Estimator,
        generator: torch.Generator | None = None,
        validate: Validation = "basic",
        instances: Sequence[Any] = (),
    ) -> None:
        self.solver = solver
        self.estimator = estimator
        self.generator = generator
        self.validate: Validation = validate
        self.handle = next(_count)
        _live[self.handle] = self
        self._instances: list[Any] = []
        self._prepared: list[Any] = []
        self._number: dict[Any, int] = {}
        for instance in instances:
            self._register(instance)

    def __reduce__(self) -> tuple[Any, ...]:
        """Copy everything but the handle; the numbers of instances stay valid."""
        return Binding, (self.solver, self.estimator, self.generator, self.validate, self._instances)

    @staticmethod
    def of(handle: int) -> Binding:
        """Return the live binding of a handle."""
        return _live[handle]

    @property
    def sign(self) -> int:
        """1 for a maximising solver, -1 for a minimising one: inside, everything maximises."""
        return 1 if self.solver.sense == "max" else -1

    def prepare(self, instances: Sequence[Any]) -> Tensor:
        """Return the numbers, int64, of instances, each prepared by the solver at its first appearance.

        Equal hashable instances share a number; so do equal mappings with hashable values; an instance that cannot
        be hashed is known by its identity.
        """
        if isinstance(instances, (str, bytes, dict)) or not hasattr(instances, "__len__"):
            raise InvalidInstanceError(
                f"{self.solver.name}: instances must be a sequence with one instance for each row; "
                f"got {type(instances).__name__}."
            )
        return torch.tensor([self._register(instance) for instance in instances], dtype=torch.int64)

    def _register(self, instance: Any) -> int:
        key = _key(instance)
        number = self._number.get(key)
        if number is None:
            self._prepared.append(self.solver.prepare(instance))
            self._instances.append(instance)  # an identity is unique only while its object lives
            number = self._number[key] = len(self._prepared) - 1
        return number

    def prepared(self, numbers: Tensor) -> list[Any]:
        """Return the prepared instances of an int64 tensor of numbers."""
        try:
            return [self._prepared[number] for number in numbers.tolist()]
        except IndexError:
            raise InvalidInstanceError(
                f"{self.solver.name}: instance number {int(numbers.max())} is not known here; numbers come from "
                "this layer's own `prepare(instances)`."
            ) from None


def _key(instance: Any) -> Any:
    try:
        if isinstance(instance, dict):
            key = (dict, frozenset(instance.items()))
            hash(key)
            return key
        hash(instance)
    except TypeError:
        return (id, id(instance))
    return (type(instance), instance)
