"""A good solver with everything that a solver may have, and solvers with one fault each.

They are classes of a module, so that only the one that is meant to cannot be pickled.
"""

from __future__ import annotations

import itertools
import os
import signal
import tempfile
import threading
import time
import warnings

import numpy as np
import torch

import imle_core as imle
from imle_core.errors import InvalidInstanceError

N = 5


class Good(imle.Solver):
    """The best two of five entries; with an instance, the best so many."""

    sense = "max"
    output = "binary"
    event_shape = (N,)
    scale_invariant = True

    def solve(self, theta, instances=None):
        return self.best(theta, instances or [2] * len(theta))

    def best(self, theta, sizes):
        z = np.zeros_like(theta)
        for row, size in enumerate(sizes):
            z[row, np.argsort(-theta[row], kind="stable")[:size]] = 1
        return z

    def prepare(self, instance):
        if instance not in range(N + 1):
            raise InvalidInstanceError(f"{self.name}: a number of entries, at most {N}; got {instance!r}.")
        return instance

    def decode(self, z, *, instance=None):
        return np.flatnonzero(z).tolist()

    def encode(self, structure):
        z = np.zeros(N)
        z[structure] = 1
        return z

    def is_feasible(self, z, *, instances=None):
        return np.asarray(z).sum(1) == np.array(instances or [2] * len(z))

    def enumerate_support(self, *, instance=None):
        chosen = itertools.combinations(range(N), 2 if instance is None else instance)
        return np.array([[float(i in subset) for i in range(N)] for subset in chosen])

    def log_partition(self, theta, *, instances=None):
        rows = zip(theta, instances or [None] * len(theta), strict=True)
        return torch.stack([self.log_sum(row, instance) for row, instance in rows])

    def log_sum(self, row, instance):
        return self.objectives(row, instance).logsumexp(0)

    def objectives(self, row, instance):
        return self.listed(row, instance) @ row

    def listed(self, row, instance):
        return torch.from_numpy(self.enumerate_support(instance=instance)).to(row)

    def sample(self, theta, samples, *, generator=None, instances=None):
        rows = zip(theta, instances or [None] * len(theta), strict=True)
        return torch.stack([self.draw(row, instance, samples, generator) for row, instance in rows], 1)

    def draw(self, row, instance, samples, generator):
        p = self.objectives(row, instance).softmax(0)
        return self.listed(row, instance)[torch.multinomial(p, samples, True, generator=generator)]


class GoodCosts(Good):
    """The cheapest two of five entries."""

    sense = "min"

    def best(self, theta, sizes):
        return super().best(-theta, sizes)

    def objectives(self, row, instance):
        return super().objectives(-row, instance)


# Answers.


class WrongShape(Good):
    """Leaves the last entry out."""

    def best(self, theta, sizes):
        return super().best(theta, sizes)[:, :-1]


class NotFinite(Good):
    """Answers NaN."""

    def best(self, theta, sizes):
        return np.full_like(theta, np.nan)


class WrongSense(Good):
    """Minimises."""

    def best(self, theta, sizes):
        return super().best(-theta, sizes)


class RunnerUp(Good):
    """Swaps the last entry chosen for the first that is not."""

    def best(self, theta, sizes):
        z = np.zeros_like(theta)
        for row, size in enumerate(sizes):
            order = np.argsort(-theta[row], kind="stable")
            z[row, np.delete(order, size - 1)[:size]] = 1
        return z


class Greedy(imle.Solver):
    """A knapsack by value over weight, declared exact."""

    sense = "max"
    output = "binary"
    event_shape = (6,)
    scale_invariant = True
    weights = np.array([5.0, 4, 4, 3, 2, 6])

    def solve(self, theta):
        z = np.zeros_like(theta)
        for row, item in itertools.product(range(len(theta)), range(6)):
            best = np.argsort(-theta[row] / self.weights)[item]
            if theta[row, best] > 0 and z[row] @ self.weights + self.weights[best] <= 10:
                z[row, best] = 1
        return z

    def is_feasible(self, z, *, instances=None):
        return z @ self.weights <= 10


class Hysteresis(Good):
    """Keeps to the first two entries unless others are better by a third: not the best, and pulled back to it."""

    def best(self, theta, sizes):
        z = super().best(theta, sizes)
        for row, size in enumerate(sizes):
            if 0 < size < N and 1.4 * theta[row, :size].sum() > (z[row] * theta[row]).sum():
                z[row] = np.arange(N) < size
        return z


class Memoised(Good):
    """Remembers by the shape of theta."""

    def __init__(self):
        self.memory = {}

    def best(self, theta, sizes):
        key = (theta.shape, *sizes)
        if key not in self.memory:
            self.memory[key] = super().best(theta, sizes)
        return self.memory[key]


class Alternating(Good):
    """Solves every second call alone."""

    calls = 0

    def best(self, theta, sizes):
        self.calls += 1
        return super().best(theta if self.calls % 2 else -theta, sizes)


class NormalisesBatch(Good):
    """Subtracts the mean over the batch."""

    def best(self, theta, sizes):
        return super().best(theta - theta.mean(0), sizes)


class SortsRows(Good):
    """Loses the order of the rows."""

    def best(self, theta, sizes):
        return super().best(np.sort(theta, axis=0), sizes)


class Squeezes(Good):
    """Drops the batch axis of one row."""

    def best(self, theta, sizes):
        return np.squeeze(super().best(theta, sizes))


class AbsoluteTolerance(Good):
    """As integer programming solvers have one."""

    scale_invariant = False

    def best(self, theta, sizes):
        return super().best(np.round(theta, 9), sizes)


class AddsTerms(Good):
    """Declares that <z, theta> is all, and adds to it."""

    def best(self, theta, sizes):
        return super().best(theta + 0.3 * np.arange(N), sizes)


class Terms(imle.Solver):
    """Not broken: costs of its own beside theta, which it does not hide."""

    sense = "min"
    output = "binary"
    event_shape = (4,)

    def solve(self, theta):
        return np.eye(4)[(theta + 0.5 * np.arange(4)[::-1]).argmin(1)]

    def is_feasible(self, z, *, instances=None):
        return z.sum(1) == 1


class Penalty(Good):
    """A constant that swallows float32."""

    scale_invariant = False

    def best(self, theta, sizes):
        return super().best(theta + theta.dtype.type(1e7 * np.abs(theta).max()), sizes)


class RandomTies(Good):
    """Breaks ties by an order of chance."""

    def best(self, theta, sizes):
        order = np.random.default_rng().permutation(N)
        z = np.empty_like(theta)
        z[:, order] = super().best(theta[:, order], sizes)
        return z


class Noisy(Good):
    """Declared deterministic; near ties are decided by its own noise."""

    def __init__(self):
        self.rng = np.random.default_rng()

    def best(self, theta, sizes):
        return super().best(theta + 1e-9 * self.rng.standard_normal(theta.shape), sizes)


class ForgetsSigns(GoodCosts):
    """Right for costs above zero, and declared for all."""

    def best(self, theta, sizes):
        return super().best(np.abs(theta), sizes)


class RoundsToDigits(Good):
    """Rounds scores to a few digits."""

    digits = 4

    def best(self, theta, sizes):
        return super().best(np.round(theta, self.digits), sizes)


class RoundsToTwoDigits(RoundsToDigits):
    """Rounds scores to two digits."""

    digits = 2


class RoundsToIntegers(GoodCosts):
    """Gives costs to a program that takes integers."""

    def best(self, theta, sizes):
        return super().best((1000 * theta).astype(int).astype(theta.dtype), sizes)


class EmptyBelowZero(Good):
    """Chooses nothing where all scores are below zero."""

    def best(self, theta, sizes):
        return super().best(theta, sizes) * (theta > 0).any(1, keepdims=True)


class WrongBelowZero(GoodCosts):
    """Takes the dearest where all costs are below zero."""

    def best(self, theta, sizes):
        return super().best(np.where((theta < 0).all(1, keepdims=True), -theta, theta), sizes)


class SolvesInParts(Good):
    """Solves 32 rows at once, and leaves the last part out."""

    def best(self, theta, sizes):
        parts = max(len(theta) // 32, 1)
        z = super().best(theta, sizes)
        if len(theta) > 32:
            z[32 * parts :] = np.arange(N) < 2
        return z


class KeepsSize(imle.Solver):
    """The best of any number of entries, of which it remembers how many there were at first."""

    sense = "max"
    output = "binary"
    event_shape = (None,)
    scale_invariant = True
    size = None

    def solve(self, theta):
        self.size = self.size or theta.shape[1]
        return np.eye(theta.shape[1])[theta[:, : self.size].argmax(1)]


class Unbounded(imle.Solver):
    """Not broken: without an answer where the first cost is the lowest by far, which it says."""

    sense = "min"
    output = "binary"
    event_shape = (4,)
    scale_invariant = True
    error = imle.errors.UnboundedError

    def solve(self, theta):
        bad = theta[:, 0] < 0.5 * theta[:, 1:].min(1)
        if bad.any():
            raise self.error("there is no best one", row=int(bad.argmax()))
        return np.eye(4)[theta.argmin(1)]

    def enumerate_support(self, *, instance=None):
        return np.eye(4)


class Infeasible(Unbounded):
    """Not broken: another reason."""

    error = imle.errors.InfeasibleError


class NeverAnswers(Infeasible):
    """Has no answer to anything."""

    def solve(self, theta):
        raise self.error("there is none")


class UnboundedByTolerance(Unbounded):
    """Decides by an absolute tolerance whether there is an answer."""

    scale_invariant = False

    def solve(self, theta):
        if (theta.max(1) < 1e-6).any():
            raise self.error("there is no best one")
        return super().solve(theta)


class Prepares(Good):
    """Not broken: its prepared instances are no instances."""

    def prepare(self, instance):
        return [super().prepare(instance)]

    def best(self, theta, sizes):
        return super().best(theta, [size if size == 2 else size[0] for size in sizes])

    def is_feasible(self, z, *, instances=None):
        return super().is_feasible(z, instances=instances and [size for (size,) in instances])

    def listed(self, row, instance):
        return super().listed(row, instance and instance[0])


class IgnoresInstances(Good):
    """Solves one instance for all rows."""

    def solve(self, theta, instances=None):
        return self.best(theta, [2] * len(theta))


class FirstInstance(Good):
    """Solves the instance of the first row for all."""

    def solve(self, theta, instances=None):
        return self.best(theta, [(instances or [2])[0]] * len(theta))


class FirstInstanceFeasible(Good):
    """Verifies all rows by the instance of the first."""

    def is_feasible(self, z, *, instances=None):
        return super().is_feasible(z, instances=instances and [instances[0]] * len(z))


class FirstInstancePartition(Good):
    """Sums over the set of the first row."""

    def log_partition(self, theta, *, instances=None):
        return super().log_partition(theta, instances=instances and [instances[0]] * len(theta))


class FirstInstanceSample(Good):
    """Draws from the set of the first row."""

    def sample(self, theta, samples, *, generator=None, instances=None):
        first = instances and [instances[0]] * len(theta)
        return super().sample(theta, samples, generator=generator, instances=first)


# What is beside the answers.


class Prints(Good):
    """Prints for debugging."""

    def best(self, theta, sizes):
        print("solved", len(theta))  # noqa: T201
        return super().best(theta, sizes)


class PrintsPastPython(Good):
    """Prints as a library in C does."""

    def best(self, theta, sizes):
        os.write(1, b"Academic licence - for non-commercial use only\n")
        return super().best(theta, sizes)


class Warns(Good):
    """Calls something deprecated."""

    def best(self, theta, sizes):
        warnings.warn("deprecated", DeprecationWarning, stacklevel=1)
        return super().best(theta, sizes)


class LeavesFile(Good):
    """Leaves a model in the temporary folder."""

    def best(self, theta, sizes):
        with tempfile.NamedTemporaryFile("w", suffix=".lp", delete=False) as file:
            file.write("maximise")
        return super().best(theta, sizes)


class LeavesLog(Good):
    """Leaves a log in the working folder, as Gurobi and CPLEX do."""

    def best(self, theta, sizes):
        with open("clone1.log", "a") as file:
            file.write("solved")
        return super().best(theta, sizes)


class SeedsNumpy(Good):
    """Seeds a global generator."""

    def best(self, theta, sizes):
        np.random.seed(0)  # noqa: NPY002
        return super().best(theta, sizes)


class DrawsFromTorch(Good):
    """Draws from a global generator."""

    def best(self, theta, sizes):
        torch.rand(1)
        return super().best(theta, sizes)


class SetsThreads(Good):
    """Sets the number of threads of torch."""

    def best(self, theta, sizes):
        torch.set_num_threads(torch.get_num_threads() + 1)
        return super().best(theta, sizes)


class SilencesNumpy(Good):
    """Sets how NumPy handles errors."""

    def best(self, theta, sizes):
        np.seterr(all="ignore", under="raise")
        return super().best(theta, sizes)


class SetsEnvironment(Good):
    """Sets a variable of the environment."""

    def best(self, theta, sizes):
        os.environ["OMP_NUM_THREADS_OF_A_SOLVER"] = "1"
        return super().best(theta, sizes)


class Sets(Good):
    """Sets something for everybody; what, a test says."""

    @staticmethod
    def change():
        """Change nothing."""

    def best(self, theta, sizes):
        if threading.current_thread() is threading.main_thread():
            self.change()
        return super().best(theta, sizes)


class LeavesThread(Good):
    """Starts a thread that waits for ever."""

    def __init__(self):
        threading.Thread(target=_never.wait, daemon=True).start()


class LeavesOpenFile(Good):
    """Opens a file that nothing closes."""

    def __init__(self):
        self.file = os.open(os.devnull, os.O_RDONLY)


_never = threading.Event()


class TakesSignals(Good):
    """Installs a handler of a signal."""

    def best(self, theta, sizes):
        if threading.current_thread() is threading.main_thread():
            signal.signal(signal.SIGTERM, lambda *_: None)
        return super().best(theta, sizes)


class SharedBuffer(Good):
    """A buffer of the class, so that clones write into each other's."""

    buffer = np.zeros((0, N))

    def best(self, theta, sizes):
        type(self).buffer = super().best(theta, sizes)
        time.sleep(1e-4)
        return self.buffer if len(self.buffer) == len(theta) else super().best(theta, sizes)


class Locked(Good):
    """Holds what cannot be copied, as handles of libraries cannot."""

    def __init__(self):
        self.lock = threading.Lock()


class ForgetfulCopy(Good):
    """Its copy lacks a parameter."""

    def __init__(self, factor=1):
        self.factor = factor

    def __deepcopy__(self, memo):
        return type(self)(factor=-1)

    def best(self, theta, sizes):
        return super().best(self.factor * theta, sizes)


class HoldsLambda(Good):
    """Holds what cannot be pickled."""

    def __init__(self):
        self.key = lambda theta: theta


class CrashesOnInstance(Good):
    """Does not look at an instance before it uses it."""

    def prepare(self, instance):
        return int(instance)


# Declarations.


class Misspelt(Good):
    """Declares something that nothing reads."""

    scale_invarient = True


class MisspeltMethod(Good):
    """Has a method that nothing calls."""

    def is_feasable(self, z):
        return z


class NoDocstring(Good):
    pass


# Structures.


class DecodeShifts(Good):
    """Numbers entries from one."""

    def decode(self, z, *, instance=None):
        return [i + 1 for i in super().decode(z, instance=instance)]

    def encode(self, structure):
        return super().encode([i % N for i in structure])


class DecodeReuses(Good):
    """Returns the same list again."""

    def __init__(self):
        self.path = []

    def decode(self, z, *, instance=None):
        self.path[:] = super().decode(z, instance=instance)
        return self.path


class _Decoding:
    def decode(self, z, *, instance=None):
        return np.flatnonzero(z).tolist()


class DecodeOfMixin(_Decoding, Good):
    """The core does not see a decode that comes from no Solver, and does not call it row by row."""


class AcceptsAll(Good):
    """Leaves the constraint out."""

    def is_feasible(self, z, *, instances=None):
        return np.ones(len(z), bool)


class RefusesGood(Good):
    """Refuses half of its own answers."""

    def is_feasible(self, z, *, instances=None):
        return super().is_feasible(z, instances=instances) & (np.asarray(z)[:, 0] == 0)


class RefusesUnusual(Good):
    """Refuses a state of the set that is seldom an answer."""

    def is_feasible(self, z, *, instances=None):
        unusual = (np.asarray(z) == [0, 0, 0, 1, 1]).all(1)
        return super().is_feasible(z, instances=instances) & ~unusual


class ListsTwice(Good):
    """Lists a structure twice."""

    def enumerate_support(self, *, instance=None):
        support = super().enumerate_support(instance=instance)
        return np.concatenate([support, support[:1]])


class OffByConstant(Good):
    """Adds a constant."""

    def log_sum(self, row, instance):
        return super().log_sum(row, instance) + 0.1


class SkewedMarginals(GoodCosts):
    """The right value, with the gradient of scores."""

    def log_sum(self, row, instance):
        value = super().log_sum(row, instance)
        return 2 * value.detach() - value


class Detached(Good):
    """The right value and marginals, which are constants to the second derivative."""

    def log_sum(self, row, instance):
        leaf = row.detach().requires_grad_()
        with torch.enable_grad():
            value = super().log_sum(leaf, instance)
            (marginals,) = torch.autograd.grad(value, leaf)
        return value.detach() + (marginals * (row - row.detach())).sum()


class Overflows(Good):
    """The exponential before the sum."""

    def log_sum(self, row, instance):
        return self.objectives(row, instance).exp().sum().log()


class DoubleOnly(Good):
    """Cannot take float32."""

    def listed(self, row, instance):
        return torch.from_numpy(self.enumerate_support(instance=instance))


class Infinity(Good):
    """A constant that swallows float32."""

    def log_sum(self, row, instance):
        large = torch.full((), 1e6, dtype=row.dtype)
        return (self.objectives(row, instance) + large).logsumexp(0) - large


class Constant(imle.Solver):
    """One structure, the log-partition function of which no gradient leads through."""

    sense = "max"
    output = "binary"
    event_shape = (3,)

    def solve(self, theta):
        return np.zeros_like(theta)

    def enumerate_support(self, *, instance=None):
        return np.zeros((1, 3))

    def log_partition(self, theta, *, instances=None):
        return theta.new_zeros(len(theta))


class ConstantWithGradient(Constant):
    """Not broken."""

    def log_partition(self, theta, *, instances=None):
        return 0 * theta.sum(1)

    def sample(self, theta, samples, *, generator=None, instances=None):
        return theta.new_zeros(samples, *theta.shape)


class SamplesUniformly(Good):
    """Draws every structure as often."""

    def draw(self, row, instance, samples, generator):
        return super().draw(0 * row, instance, samples, generator)


class SamplesUnlisted(SamplesUniformly):
    """Draws every structure as often, of a set that nobody can list."""

    is_feasible = imle.Solver.is_feasible
    enumerate_support = imle.Solver.enumerate_support

    def listed(self, row, instance):
        return torch.from_numpy(Good.enumerate_support(self, instance=instance)).to(row)


class SamplesEntries(Good):
    """Draws entries on their own."""

    def draw(self, row, instance, samples, generator):
        p = self.objectives(row, instance).softmax(0) @ self.listed(row, instance)
        return torch.bernoulli(p.clamp(0, 1).expand(samples, N), generator=generator)


class SamplesRowsFirst(Good):
    """Puts the axis of rows first."""

    def sample(self, theta, samples, *, generator=None, instances=None):
        return super().sample(theta, samples, generator=generator, instances=instances).transpose(0, 1)


class SamplesDoubles(Good):
    """Draws float64, whatever theta is."""

    def draw(self, row, instance, samples, generator):
        return super().draw(row, instance, samples, generator).double()


class SamplesFirstRow(Good):
    """Draws all rows from the first."""

    def sample(self, theta, samples, *, generator=None, instances=None):
        return super().sample(theta[:1].expand_as(theta), samples, generator=generator, instances=instances)


class SamplesGlobally(Good):
    """Draws from the global generator, whichever it is given."""

    def draw(self, row, instance, samples, generator):
        return super().draw(row, instance, samples, None)


class SamplesSeeded(Good):
    """Draws from a generator of its own, always the same."""

    def draw(self, row, instance, samples, generator):
        return super().draw(row, instance, samples, torch.Generator().manual_seed(0))


class SamplesAnew(Good):
    """Draws from a new generator where none is given."""

    def draw(self, row, instance, samples, generator):
        if generator is None:
            generator = torch.Generator()
            generator.seed()
        return super().draw(row, instance, samples, generator)


# Speed and devices.


class Slow(Good):
    """Takes a second a row."""

    def best(self, theta, sizes):
        time.sleep(0.03)
        return super().best(theta, sizes)


class IgnoresTimeLimit(Good):
    """Has a time limit that nothing reads."""

    def __init__(self, time_limit: float = 10.0):
        self.time_limit = time_limit

    def best(self, theta, sizes):
        time.sleep(0.03)
        return super().best(theta, sizes)


class Loops(Good):
    """Takes as long for a row in a batch as for a row."""

    def best(self, theta, sizes):
        time.sleep(2e-4 * len(theta))
        return super().best(theta, sizes)


class ThroughNumPy(Good):
    """Takes tensors, and loses them."""

    def solve(self, theta: torch.Tensor, instances=None):
        return self.best(theta.numpy(), instances or [2] * len(theta))


def any_keyword(**options):
    """Return a solver."""
    return Good()
