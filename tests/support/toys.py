"""Small solvers that the tests share, each with a known answer."""

from __future__ import annotations

import itertools

import numpy as np
import torch

import imle_core as imle


class TopK(imle.Solver):
    """k of n by score; NumPy."""

    sense = "max"
    event_shape = (None,)
    output = "binary"
    scale_invariant = True

    def __init__(self, k=2):
        self.k = k
        self.batches = []

    def solve(self, theta):
        self.batches.append(len(theta))
        z = np.zeros_like(theta)
        np.put_along_axis(z, np.argsort(-theta, axis=1, kind="stable")[:, : self.k], 1, axis=1)
        return z

    def is_feasible(self, z, *, instances=None):
        return z.sum(1) == self.k


class CheapestK(TopK):
    """k of n by cost: the same set, minimised."""

    sense = "min"

    def solve(self, theta):
        self.batches.append(len(theta))
        z = np.zeros_like(theta)
        np.put_along_axis(z, np.argsort(theta, axis=1, kind="stable")[:, : self.k], 1, axis=1)
        return z


class OneOfN(imle.Solver):
    """One of n by score; torch."""

    sense = "max"
    event_shape = (None,)
    output = "binary"

    def solve(self, theta: torch.Tensor):
        return torch.nn.functional.one_hot(theta.argmax(1), theta.shape[1])


class Box(imle.Solver):
    """Independent binaries: an entry is 1 where its score is positive."""

    sense = "max"
    event_shape = (None,)
    output = "binary"

    def solve(self, theta):
        return theta > 0


class Identity(imle.Solver):
    """Returns theta: the Jacobian of every right estimator is I."""

    event_shape = (None,)

    def __init__(self, sense="max"):
        self.sense = sense

    def solve(self, theta):
        return theta


class Smooth(imle.Solver):
    """A smooth stand-in: z_i = sin(theta_i), increasing for small theta."""

    sense = "max"
    event_shape = (None,)

    def solve(self, theta: torch.Tensor):
        return theta.sin()


class Listed(imle.Solver):
    """Any list of structures, with exact inference by enumeration."""

    output = "real"

    def __init__(self, vertices, sense="max"):
        self.vertices = torch.as_tensor(vertices, dtype=torch.float64)
        self.sense = sense
        self.event_shape = tuple(self.vertices.shape[1:])

    def logits(self, theta):
        sign = 1 if self.sense == "max" else -1
        return sign * theta.flatten(1) @ self.vertices.flatten(1).T.to(theta)

    def solve(self, theta: torch.Tensor):
        return self.vertices.to(theta)[self.logits(theta).argmax(1)]

    def log_partition(self, theta, *, instances=None):
        return self.logits(theta).logsumexp(1)

    def sample(self, theta, samples, *, generator=None, instances=None):
        p = self.logits(theta).softmax(1)
        chosen = torch.multinomial(p, samples, replacement=True, generator=generator)
        return self.vertices.to(theta)[chosen.T]

    def enumerate_support(self, *, instance=None):
        return self.vertices.numpy()

    def is_feasible(self, z, *, instances=None):
        return torch.as_tensor([(self.vertices == row).flatten(1).all(1).any() for row in torch.as_tensor(z)])


class Window(imle.Solver):
    """One of the entries from `low` on: rows may have different instances."""

    sense = "max"
    event_shape = (5,)
    output = "binary"

    def prepare(self, instance):
        if instance not in range(5):
            raise imle.errors.InvalidInstanceError(f"{self.name}: low must be in [0, 5); got {instance}.")
        return instance

    def solve(self, theta, instances=None):
        z = np.zeros_like(theta)
        for row, low in enumerate(instances or [0] * len(theta)):
            z[row, low + theta[row, low:].argmax()] = 1
        return z


class FirstOf(imle.Solver):
    """The largest of the first entries; an instance says how many there are, in each dimension."""

    sense = "max"
    output = "binary"
    scale_invariant = True

    def __init__(self, ndim=1):
        self.event_shape = (None,) * ndim

    def prepare(self, instance):
        return instance if isinstance(instance, tuple) else (instance,)

    def shape_of(self, prepared):
        return prepared

    def solve(self, theta, instances=None):
        z = np.zeros_like(theta)
        for state, scores, shape in zip(z, theta, instances, strict=True):
            own = tuple(map(slice, shape))
            state[np.unravel_index(scores[own].argmax(), shape)] = 1
        return z

    def decode(self, z, *, instance=None):
        return int(np.flatnonzero(z)[0])

    def encode(self, structure, *, instance=None):
        shape = self.prepare(instance)
        return np.eye(np.prod(shape))[structure].reshape(shape)

    def is_feasible(self, z, *, instances=None):
        own = [state[tuple(map(slice, shape))].sum() for state, shape in zip(z, instances, strict=True)]
        return (
            np.isin(z, (0, 1)).reshape(len(z), -1).all(1)
            & (np.array(own) == 1)
            & (z.reshape(len(z), -1).sum(1) == 1)
        )

    def enumerate_support(self, *, instance=None):
        shape = self.prepare(instance)
        return np.eye(np.prod(shape)).reshape(-1, *shape)


class LooksAtPadding(FirstOf):
    """Takes the largest of all entries, padding included."""

    def solve(self, theta, instances=None):
        return super().solve(theta, instances=[theta.shape[1:]] * len(theta))


def subsets(n, k):
    """All k-subsets of n as rows."""
    return torch.tensor(
        [[float(i in chosen) for i in range(n)] for chosen in itertools.combinations(range(n), k)],
        dtype=torch.float64,
    )
