"""What tests of tours share: all tours of few nodes, exact values, and TSPLIB's files."""

from __future__ import annotations

import itertools
import os
from fractions import Fraction
from pathlib import Path

import numpy as np

DATA = Path(os.environ.get("IMLE_DATA", Path(__file__).parents[3] / "shared" / "data"))


def all_tours(nodes):
    """All directed tours through some nodes, each beginning with the first."""
    first, *others = nodes
    return [[first, *order] for order in itertools.permutations(others)]


def along(costs, tour):
    """The costs of the arcs of a tour."""
    if len(tour) == 1:
        return np.zeros(1)
    return costs[list(tour), [*tour[1:], tour[0]]]


def exact_value(costs, tour):
    """The cost of a tour, without any rounding."""
    return sum(Fraction(float(cost)) for cost in along(costs, tour))


def best_value(costs, nodes=None):
    """The least cost of all tours, without any rounding."""
    nodes = range(len(costs)) if nodes is None else nodes
    return min(exact_value(costs, tour) for tour in all_tours(nodes))


def least_value(costs):
    """The least cost of all tours, in double precision."""
    if len(costs) == 1:
        return 0.0
    tours = np.array(all_tours(range(len(costs))))
    return costs[tours, np.roll(tours, -1, axis=1)].sum(1).min()


def symmetric(costs):
    """Costs that do not depend on the direction."""
    return (costs + np.swapaxes(costs, -1, -2)) / 2


def euclidean(rng, rows, nodes):
    """Distances between random points."""
    points = rng.random((rows, nodes, 2))
    return np.linalg.norm(points[:, :, None] - points[:, None], axis=-1)


def read_tsplib(path):
    """Distances of an instance of TSPLIB, as its documentation defines them; zero on the diagonal."""
    fields, sections, current = {}, {}, None
    for line in path.read_text().splitlines():
        words = line.split()
        if not words or words[0] == "EOF":
            continue
        if words[0].endswith("SECTION"):
            current = sections.setdefault(words[0], [])
        elif words[0][0].isalpha():
            name, _, value = line.partition(":")
            fields[name.strip()] = value.strip()
        else:
            current.append([float(word) for word in words])
    kind = fields["EDGE_WEIGHT_TYPE"]
    if kind == "EXPLICIT":
        numbers = np.concatenate(sections["EDGE_WEIGHT_SECTION"])
        costs = _explicit(int(fields["DIMENSION"]), fields["EDGE_WEIGHT_FORMAT"], numbers)
    else:
        costs = _DISTANCES[kind](np.array(sections["NODE_COORD_SECTION"])[:, 1:3])
    np.fill_diagonal(costs, 0)
    return costs


def best_known(folder):
    """The best known lengths, by name."""
    pairs = (line.split(":") for line in (folder / "solutions").read_text().splitlines() if ":" in line)
    return {name.strip(): int(length.split()[0]) for name, length in pairs}


def _explicit(n, form, numbers):
    if form == "FULL_MATRIX":
        return numbers.reshape(n, n)
    triangles = {
        "UPPER_ROW": np.triu_indices(n, 1),
        "UPPER_DIAG_ROW": np.triu_indices(n),
        "LOWER_DIAG_ROW": np.tril_indices(n),
    }
    costs = np.zeros((n, n))
    costs[triangles[form]] = numbers
    return np.maximum(costs, costs.T)


def _lengths(points):
    return np.linalg.norm(points[:, None] - points[None], axis=-1)


def _pseudo_euclidean(points):
    exact = _lengths(points) / np.sqrt(10)
    return np.ceil(exact - 0.5) + (np.ceil(exact - 0.5) < exact)


def _geographical(points):
    degrees = np.trunc(points)
    latitude, longitude = (3.141592 * (degrees + 5 * (points - degrees) / 3) / 180).T
    q1 = np.cos(longitude[:, None] - longitude)
    q2 = np.cos(latitude[:, None] - latitude)
    q3 = np.cos(latitude[:, None] + latitude)
    return np.floor(6378.388 * np.arccos(np.clip(((1 + q1) * q2 - (1 - q1) * q3) / 2, -1, 1)) + 1)


_DISTANCES = {
    "EUC_2D": lambda points: np.floor(_lengths(points) + 0.5),
    "CEIL_2D": lambda points: np.ceil(_lengths(points)),
    "ATT": _pseudo_euclidean,
    "GEO": _geographical,
}
