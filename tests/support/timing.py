"""Timing for benchmarks: interleaved rounds and minima, because machines are shared and noisy."""

import resource
import time


def cpu_seconds():
    """Return the processor time of this process and its ended children: other work on the machine does not count."""
    usages = map(resource.getrusage, (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    return sum(usage.ru_utime + usage.ru_stime for usage in usages)


def fastest(calls, rounds=30, clock=time.perf_counter):
    """Return the least time, in seconds, of each of some calls, made in turn."""
    best = dict.fromkeys(calls, float("inf"))
    for call in calls.values():
        call()  # compile, fill caches
    for _ in range(rounds):
        for name, call in calls.items():
            start = clock()
            call()
            best[name] = min(best[name], clock() - start)
    return best
