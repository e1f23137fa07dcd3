"""A pool of solutions that were seen before, to compare predictions with in the place of a solve."""

from __future__ import annotations

import os
import threading
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from torch import Tensor, nn

from imle_core._checks import require_count
from imle_core.errors import InvalidInstanceError, InvalidTargetError

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable, Mapping, Sequence


_SAVED = ("states", "groups")
_lock = threading.RLock()  # threads may share a layer; one for all pools, so that pools can be copied


def _renew_lock() -> None:
    global _lock
    _lock = threading.RLock()


if hasattr(os, "register_at_fork"):  # another thread may have held it
    os.register_at_fork(after_in_child=_renew_lock)


class SolutionPool(nn.Module):
    """Distinct structures, the latest found, for each instance: an inner approximation of the set Z.

    Begin it with the solutions of the training set; the layers and losses that use it add to it, and may share it. It
    is saved with the model: its structures in ``state_dict``, and which instances they are of, where instances are
    numbers, strings, tuples or dicts of these; structures of other instances are left out when a checkpoint is loaded.
    In distributed training each process has its own.

    Args:
        capacity: The most structures that are kept for one instance; the first found gives way to the next one.
        total: And of all instances together; by default 100 times as many.

    Attributes:
        states: The structures, shape ``(P, *event)``, on the device of the first ones added, or where the module was
            moved to.
        offsets: What the objective of each has beside <z, theta>, shape ``(P,)``; nan where nobody told, which counts
            as 0.

    Raises:
        ValueError: a number is no positive integer.

    Reference:
        Mulamba, Mandi, Diligenti, Lombardi, Bucarey and Guns (2021), Contrastive losses and solution caching for
        predict-and-optimize, section on solution caching.

    Example:
        >>> import torch
        >>> pool = SolutionPool(capacity=100)
        >>> pool.add(torch.eye(3)), pool.add(torch.eye(3)), len(pool)
        (3, 0, 3)
    """

    def __init__(self, capacity: int = 1000, *, total: int | None = None) -> None:
        super().__init__()
        require_count("SolutionPool", "capacity", capacity)
        self.capacity = capacity
        self.total = 100 * capacity if total is None else total
        require_count("SolutionPool", "total", self.total)
        # No buffers, which distributed training would copy from process to process, sizes differing.
        self.states = torch.empty(0)
        self.groups = torch.empty(0, dtype=torch.int64)  # number of the instance of each
        self.offsets = torch.empty(0, dtype=torch.float64)
        self._instances: list[Any] = []
        self._numbers: dict[Hashable, int] = {}
        self._seen: set[tuple[int, bytes]] = set()

    def __len__(self) -> int:
        """Return the number of structures, of all instances."""
        return len(self.groups)

    def add(
        self, states: Any, *, instances: Sequence[Any] | None = None, offsets: Tensor | None = None
    ) -> int:
        """Add structures that are not in the pool yet.

        Args:
            states: Tensor or array, shape ``(N, *event)``.
            instances: The instance that each is a structure of; None where rows have none.
            offsets: What the objective of each has beside <z, theta>, shape ``(N,)``; None where it is not known. A
                layer asks its solver where it needs to know.

        Returns:
            How many were new.

        Raises:
            InvalidTargetError: the states are not finite, or not of the shape of those in the pool.
        """
        with _lock:
            return self._add(torch.as_tensor(states).detach(), instances, offsets)

    def best(
        self, scores: Tensor, instances: Sequence[Any] | None = None, sign: int = 1
    ) -> tuple[Tensor, Tensor]:
        r"""Return the structure of the pool with the largest score for each row: one matrix product.

        .. math:: \arg\max_{z \in P} \langle z, \theta \rangle + s \, h(z)

        Args:
            scores: theta as scores (costs negated), shape ``(N, *event)``.
            instances: The instance of each row; None where rows have none.
            sign: s, 1 for offsets of a maximising solver, -1 for those of a minimising one.

        Returns:
            Structures, shape ``(N, *event)``, zeros for rows of whose instance there is none; and for which rows there
            is one, bool, shape ``(N,)``. On the device of the scores.

        Example:
            >>> pool = SolutionPool()
            >>> pool.add(torch.eye(3)[:2])
            2
            >>> pool.best(torch.tensor([[1.0, 2.0, 9.0]]))
            (tensor([[0., 1., 0.]]), tensor([True]))
        """
        with _lock:
            return self._best(scores, instances, sign)

    def tell_offsets(
        self, fixed_terms: Callable[[Tensor, Sequence[Any]], Tensor], instances: Sequence[Any] | None
    ) -> None:
        """Ask for the offsets that are not known yet, of structures of some instances.

        Args:
            fixed_terms: Returns what the objective has beside <z, theta>, from states and the instance of each.
            instances: Those whose structures count; None for the ones without instances.
        """
        with _lock:
            groups = {*self._groups_of(instances, 1 if instances is None else len(instances), new=False)}
            asked = torch.isin(self.groups, torch.tensor([*groups], device=self.groups.device))
            which = (asked & self.offsets.isnan()).nonzero().squeeze(1)
            if len(which):
                of = [self._instances[group] for group in self.groups[which].tolist()]
                self.offsets[which] = fixed_terms(self.states[which], of).to(self.offsets)

    def members(self, instances: Sequence[Any] | None, rows: int) -> Tensor:
        """Return for each row which structures are of its instance, shape ``(rows, P)``, bool."""
        groups = torch.tensor(self._groups_of(instances, rows, new=False), dtype=torch.int64)
        return groups.to(self.groups.device)[:, None] == self.groups

    def _add(self, states: Tensor, instances: Sequence[Any] | None, offsets: Tensor | None) -> int:
        self._check_event(states, "add")
        if not torch.isfinite(states).all():
            raise InvalidTargetError("SolutionPool.add: states must be finite.")
        groups = self._groups_of(instances, len(states), new=True)
        dtype = states.dtype if states.is_floating_point() else torch.get_default_dtype()
        if len(self) > 0:
            dtype = torch.promote_types(self.states.dtype, dtype)
            states = states.to(self.states.device)
        states = states.to(dtype)
        fresh = self._fresh(states, groups)
        if fresh:
            chosen = torch.tensor(fresh, device=states.device)
            added = torch.tensor([groups[i] for i in fresh], device=states.device)
            old = self.states.to(dtype) if len(self) else states[:0]
            unknown = self.offsets.new_full((len(states),), torch.nan)
            terms = unknown if offsets is None else offsets.to(self.offsets)
            self._keep_latest(
                torch.cat([old, states[chosen]]),
                torch.cat([self.groups.to(states.device), added]),
                torch.cat([self.offsets.to(states.device), terms.to(states.device)[chosen]]),
            )
        return len(fresh)

    def _best(self, scores: Tensor, instances: Sequence[Any] | None, sign: int) -> tuple[Tensor, Tensor]:
        if len(self) == 0:
            return torch.zeros_like(scores), torch.zeros(len(scores), dtype=torch.bool, device=scores.device)
        self._check_event(scores, "best")
        states, groups, offsets = self.states, self.groups, self.offsets
        of_rows = None
        if instances is not None or self._instances != [None]:
            of_rows = torch.tensor(self._groups_of(instances, len(scores), new=False), device=groups.device)
            asked = torch.isin(groups, of_rows)
            if not asked.any():
                return torch.zeros_like(scores), asked.new_zeros(len(scores)).to(scores.device)
            if not asked.all():  # of thousands of instances few are in a batch
                states, groups, offsets = states[asked], groups[asked], offsets[asked]
        states, offsets = states.to(scores), offsets.nan_to_num()
        size = scores.shape[1:].numel()
        values = scores.reshape(len(scores), size) @ states.reshape(len(states), size).T
        if offsets.any():
            values = values + sign * offsets.to(values)
        known = torch.ones(len(scores), dtype=torch.bool, device=scores.device)
        if of_rows is not None:
            members = (of_rows[:, None] == groups).to(scores.device)
            values = values.masked_fill(~members, -torch.inf)
            known = members.any(1)
        best = states[values.argmax(1)]
        return best.masked_fill_(~known.view(-1, *[1] * (best.ndim - 1)), 0), known

    def _check_event(self, states: Tensor, method: str) -> None:
        if states.ndim < 1 or (len(self) > 0 and states.shape[1:] != self.states.shape[1:]):
            event = str(tuple(self.states.shape[1:])) if len(self) else "any shape"
            raise InvalidTargetError(
                f"SolutionPool.{method}: states {tuple(states.shape)}; use (N, *event) with an event of {event}."
            )

    def _groups_of(self, instances: Sequence[Any] | None, rows: int, *, new: bool) -> list[int]:
        if isinstance(instances, Tensor):
            raise InvalidInstanceError(
                "SolutionPool: instances are numbers in a tensor, which mean something only to the loss that made "
                "them. Give the instances themselves."
            )
        if instances is not None and len(instances) != rows:
            raise InvalidInstanceError(
                f"SolutionPool: {len(instances)} instances for {rows} rows; give one for each."
            )
        given = [None] * rows if instances is None else instances
        groups = []
        for instance in given:
            if isinstance(instance, np.generic):
                instance = instance.item()  # one and the same with Python's own, and plain for a checkpoint
            number = self._numbers.get(_key(instance), -1)
            if number < 0 and new:
                number = self._numbers[_key(instance)] = len(self._instances)
                self._instances.append(instance)
            groups.append(number)
        return groups

    def _fresh(self, states: Tensor, groups: list[int]) -> list[int]:
        """Return the indices of those that are not known yet, and know them from now on."""
        fresh = []
        for i, key in enumerate(_fingerprints(states, groups)):
            if key not in self._seen:
                self._seen.add(key)
                fresh.append(i)
        return fresh

    def _keep_latest(self, states: Tensor, groups: Tensor, offsets: Tensor) -> None:
        """Keep the last structures of each instance, and of all together, in the order in which they were found."""
        size = torch.bincount(groups)
        keep = torch.ones_like(groups, dtype=torch.bool)
        if (size > self.capacity).any():
            order = groups.argsort(stable=True)
            place = torch.empty_like(groups)  # of each structure among those of its instance
            place[order] = (
                torch.arange(len(groups), device=groups.device) - (size.cumsum(0) - size)[groups[order]]
            )
            keep = size[groups] - place <= self.capacity
        keep &= keep.flip(0).cumsum(0).flip(0) <= self.total
        if not keep.all():
            self._seen.difference_update(_fingerprints(states[~keep], groups[~keep].tolist()))
            states, groups, offsets = states[keep], groups[keep], offsets[keep]
        self.states, self.groups, self.offsets = states, groups, offsets
        if not keep.all():
            self._forget_instances()

    def _forget_instances(self) -> None:
        """Leave out instances without structures, once they are most."""
        used = torch.unique(self.groups)
        if 2 * len(used) >= len(self._instances):
            return
        self.groups = torch.searchsorted(used, self.groups)
        self._instances = [self._instances[number] for number in used.tolist()]
        self._numbers = {_key(one): number for number, one in enumerate(self._instances)}
        self._seen = set(_fingerprints(self.states, self.groups.tolist()))

    def get_extra_state(self) -> dict[str, Any]:
        """Return the instances, in plain types: a list of each, empty for one that is not plain."""
        return {"instances": [[one] if _is_plain(one) else [] for one in self._instances]}

    def set_extra_state(self, state: dict[str, Any]) -> None:
        """Take over the instances of the structures that were loaded before."""
        saved = state["instances"]
        self._instances = [one[0] if one else object() for one in saved]
        self._numbers = {_key(one): number for number, one in enumerate(self._instances)}
        known = [number for number, one in enumerate(saved) if one]
        keep = torch.isin(self.groups, torch.tensor(known, dtype=torch.int64, device=self.groups.device))
        states, groups = self.states[keep] if len(self) else self.states, self.groups[keep]
        self._seen = set(_fingerprints(states, groups.tolist())) if len(groups) else set()
        self._keep_latest(states, groups, self.offsets[keep])

    def _save_to_state_dict(self, destination: dict[str, Any], prefix: str, keep_vars: bool) -> None:
        """Save the structures, in the names that they would have as buffers."""
        super()._save_to_state_dict(destination, prefix, keep_vars)
        for name in _SAVED:
            destination[prefix + name] = getattr(self, name).detach()

    def _load_from_state_dict(
        self,
        state_dict: Mapping[str, Any],
        prefix: str,
        local_metadata: Mapping[str, Any],
        strict: bool,
        missing_keys: list[str],
        unexpected_keys: list[str],
        error_msgs: list[str],
    ) -> None:
        """Take over the structures of a checkpoint, however many they are; one without a pool changes nothing."""
        saved = {name: state_dict[prefix + name] for name in _SAVED if prefix + name in state_dict}
        if not saved:
            return
        for name, tensor in saved.items():
            setattr(self, name, tensor.detach().clone().to(getattr(self, name).device))
        # Of another problem, perhaps: a layer asks its solver about each before the pool answers with it.
        self.offsets = torch.full_like(self.groups, torch.nan, dtype=torch.float64)
        ours = {prefix + name for name in (*_SAVED, "offsets")}  # offsets were saved, once
        rest = {key: value for key, value in state_dict.items() if key not in ours}
        super()._load_from_state_dict(
            rest, prefix, local_metadata, strict, missing_keys, unexpected_keys, error_msgs
        )

    def _apply(self, fn: Callable[[Tensor], Tensor], recurse: bool = True) -> SolutionPool:
        """Move the structures with the module, but never round them: `.half()` is about the network."""
        super()._apply(fn, recurse)  # type: ignore[no-untyped-call]
        device = fn(torch.empty(0, dtype=self.states.dtype, device=self.states.device)).device
        for name in (*_SAVED, "offsets"):
            setattr(self, name, getattr(self, name).to(device))
        return self

    def extra_repr(self) -> str:
        """Return the capacity and how much of it is taken."""
        held = f"{len(self)} structures of {len(self._instances)} instances"
        return f"capacity={self.capacity}, total={self.total}, {held}"


def _fingerprints(states: Tensor, groups: list[int]) -> list[tuple[int, bytes]]:
    """Return what two equal structures of one instance share; float64, so that the dtype makes no difference."""
    rows = (
        (states.reshape(len(states), states.shape[1:].numel()).double() + 0.0).cpu().numpy()
    )  # + 0.0: -0.0 is 0.0
    return [(group, row.tobytes()) for group, row in zip(groups, rows, strict=True)]


def _key(instance: Any) -> Hashable:
    key = (dict, frozenset(instance.items())) if isinstance(instance, dict) else (type(instance), instance)
    try:
        hash(key)
    except TypeError:
        raise InvalidInstanceError(
            "SolutionPool: an instance must be hashable, or a dict with hashable values (a tuple in place of a list or "
            f"an array); got {instance!r}."
        ) from None
    return key


def _is_plain(instance: Any) -> bool:
    if isinstance(instance, tuple) and type(instance) is tuple:
        return all(map(_is_plain, instance))
    if type(instance) is dict:
        return all(_is_plain(key) and _is_plain(value) for key, value in instance.items())
    return instance is None or type(instance) in (bool, int, float, str)
