"""A binary heap of events, the one with the least key first, in two arrays that are long enough."""

from __future__ import annotations

from typing import Any

from imle_core.kernels import compiled


@compiled
def push(keys: Any, items: Any, size: int, key: int, item: int) -> int:
    """Put an event into a heap of so many events; return how many there are now."""
    hole = size
    while hole > 0:
        parent = (hole - 1) // 2
        if keys[parent] <= key:
            break
        keys[hole], items[hole] = keys[parent], items[parent]
        hole = parent
    keys[hole], items[hole] = key, item
    return size + 1


@compiled
def drop(keys: Any, items: Any, size: int) -> int:
    """Take the first event, which stands at place 0, out of the heap; return how many are left."""
    size -= 1
    key, item = keys[size], items[size]
    hole = 0
    while 2 * hole + 1 < size:
        child = 2 * hole + 1
        if child + 1 < size and keys[child + 1] < keys[child]:
            child += 1
        if keys[child] >= key:
            break
        keys[hole], items[hole] = keys[child], items[child]
        hole = child
    keys[hole], items[hole] = key, item
    return size
