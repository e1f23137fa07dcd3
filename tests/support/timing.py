"""Timing for benchmarks: interleaved rounds and minima, because machines are shared and noisy."""

import time


def fastest(calls, rounds=30):
    """Return the least time, in seconds, of each of some calls, made in turn."""
    best = dict.fromkeys(calls, float("inf"))
    for call in calls.values():
        call()  # compile, fill caches
    for _ in range(rounds):
        for name, call in calls.items():
            start = time.perf_counter()
            call()
            best[name] = min(best[name], time.perf_counter() - start)
    return best
