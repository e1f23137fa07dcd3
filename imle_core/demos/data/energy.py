"""Prices of electricity in half hours, with what was known of each the day before.

The real ones are of the Irish day-ahead market from 2011 to 2013: forecasts of wind, load and price, the carbon dioxide
of a kilowatt hour, and the calendar. Prices are in euros a megawatt hour.

Reference:
    Ifrim, O'Sullivan and Simonis (2012), Properties of energy-price forecasts for scheduling. Mandi, Demirovic, Stuckey
    and Guns (2020), Smart predict-and-optimize for hard combinatorial optimization problems.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from imle_core.demos.data.files import DataError

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

__all__ = ["FILE", "NAMES", "Prices", "generate_day", "generate_prices", "read_prices"]

FILE = "icon_sem_features_789x48.npz"
NAMES = (
    "HolidayFlag",
    "DayOfWeek",
    "WeekOfYear",
    "Month",
    "ForecastWindProduction",
    "SystemLoadEA",
    "SMPEA",
    "CO2Intensity",
)


class Prices(NamedTuple):
    """Prices and features of days.

    Args:
        features: Shape ``(days, slots, 8)``, in the order of :data:`NAMES`; SMPEA is the forecast of the price.
        prices: What energy turned out to cost, shape ``(days, slots)``.
    """

    features: NDArray[np.float32]
    prices: NDArray[np.float32]

    def split(
        self, seed: int, shares: tuple[float, float] = (0.7, 0.125)
    ) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int64]]:
        """Return the days to learn from, to choose by and to test on, which are the rest, in random order."""
        order = np.random.default_rng(seed).permutation(len(self.prices))
        learn, choose = (round(share * len(order)) for share in np.cumsum(shares))
        return order[:learn], order[learn:choose], order[choose:]


def read_prices(path: Path) -> Prices:
    """Read an ``.npz`` file of ``X (days, slots, 8)``, ``feature_names (8,)`` and ``price_noisy (days, slots)``.

    Raises:
        DataError: the file cannot be read, lacks an array, or the arrays do not fit each other.
    """
    try:
        with np.load(path, allow_pickle=False) as file:
            features, names, prices = file["X"], file["feature_names"], file["price_noisy"]
    except (OSError, ValueError, KeyError) as error:
        raise DataError(f"{path} cannot be read as prices: {error}") from error
    if tuple(names.tolist()) != NAMES:
        raise DataError(
            f"{path}: expected the features {', '.join(NAMES)}; got {', '.join(map(str, names))}."
        )
    if prices.ndim != 2 or features.shape != (*prices.shape, len(NAMES)):
        raise DataError(
            f"{path}: X has shape {features.shape} and price_noisy {prices.shape}; expected (days, slots, "
            f"{len(NAMES)}) and (days, slots)."
        )
    if not (np.isfinite(features).all() and np.isfinite(prices).all()):
        raise DataError(f"{path} holds numbers that are not finite.")
    return Prices(features.astype(np.float32), prices.astype(np.float32))


def generate_prices(days: int = 240, *, slots: int = 24, seed: int = 0) -> Prices:
    """Make up a market: what a day costs on the whole goes with fuel, within the day with load less wind.

    The level of a day moves prices most, and no schedule can do anything about it. The forecast of the price knows the
    level well, and of the rise when plants run short only that there is one. Some hours cost far more than
    anybody knew.
    """
    rng = np.random.default_rng(seed)
    hour, day = np.arange(slots) * 24 / slots, np.arange(days)[:, None]
    weekday, week = day % 7, day // 7 % 52
    holiday = rng.random((days, 1)) < 0.03
    shape = 0.75 - 0.2 * np.cos(2 * np.pi * (hour - 4) / 24) + 0.3 * np.exp(-(((hour - 18) / 2) ** 2))
    rest = 1 - 0.15 * (weekday >= 5) - 0.2 * holiday
    load = 4000 * shape * rest * np.exp(0.05 * rng.standard_normal((days, slots)))
    gusts = 0.8 * rng.standard_normal((days, 1)) + 0.25 * rng.standard_normal((days, slots)).cumsum(1)
    wind = np.minimum(800 * np.exp(gusts), 2500)
    need = np.maximum(load - wind, 0) / 4000
    fuel = 40 * np.exp(0.6 * rng.standard_normal((days, 1)))
    dioxide = 300 + 3 * fuel + 10 * rng.standard_normal((days, slots))
    forecast = fuel + 15 * shape + 6 * rng.standard_normal((days, slots))
    jumps = (rng.random((days, slots)) < 0.03) * rng.exponential(200, (days, slots))
    prices = fuel + 40 * need**2 + jumps * need + 2 * rng.standard_normal((days, slots))
    calendar = (holiday, weekday, week + 1, week * 12 // 52 + 1)
    columns = [np.broadcast_to(each, (days, slots)) for each in (*calendar, wind, load, forecast, dioxide)]
    return Prices(np.stack(columns, axis=2).astype(np.float32), np.maximum(prices, 0).astype(np.float32))


def generate_day(slots: int = 24, *, tasks: int = 5, machines: int = 2, seed: int = 0) -> dict[str, Any]:
    """Make up an instance of ``pulp.scheduling``, in which about half of the machines is used."""
    rng = np.random.default_rng(seed)
    made = []
    for _ in range(tasks):
        duration = int(rng.integers(2, slots // 4 + 1))
        earliest = int(rng.integers(0, slots // 4))
        latest = int(rng.integers(max(earliest + duration, slots * 3 // 4), slots + 1))
        made.append(
            {
                "duration": duration,
                "earliest": earliest,
                "latest": latest,
                "power": round(float(rng.uniform(50, 500)), 1),
                "use": int(rng.integers(20, 70)),
            }
        )
    return {"minutes": 24 * 60 // slots, "capacities": [100] * machines, "tasks": made}
