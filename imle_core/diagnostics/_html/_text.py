"""Numbers and times as people read them."""

from __future__ import annotations

import math
from datetime import UTC, datetime

_UNITS = ((1.0, "s"), (1e-3, "ms"), (1e-6, "µs"))


def short(value: float, digits: int = 3) -> str:
    """Return a number in a few significant digits: ``0.0123``, ``1.2M``, ``3e-7``."""
    if not math.isfinite(value):
        return "NaN" if math.isnan(value) else "∞" if value > 0 else "−∞"
    size = abs(value)
    if size == 0:
        return "0"
    if size >= 1e15 or size < 1e-3:
        mantissa, exponent = f"{value:.{digits - 1}e}".split("e")
        mantissa = mantissa.rstrip("0").rstrip(".") if "." in mantissa else mantissa
        return _minus(f"{mantissa}e{int(exponent)}")
    for scale, letter in ((1e12, "T"), (1e9, "G"), (1e6, "M"), (1e4, "k")):
        if size >= scale:
            return _minus(f"{value / (1e3 if letter == 'k' else scale):.{digits}g}") + letter
    return _minus(f"{value:,.0f}" if size >= 10 ** (digits - 1) else f"{value:.{digits}g}")


def percent(share: float) -> str:
    """Return a share in percent; what is not quite none or all is not written as such."""
    value = 100 * share
    if 0 < value < 1:
        return f"{value:.1g} %"
    return f"{99.9 if 99.5 <= value < 100 else round(value)} %"


def duration(seconds: float) -> str:
    """Return a time in the two largest units that it has: ``2 h 5 min``, ``31.4 s``."""
    if seconds < 60:
        return f"{seconds:.3g} s"
    whole = round(seconds)
    days, hours, minutes = whole // 86400, whole // 3600 % 24, whole // 60 % 60
    if days:
        return f"{days} d {hours} h"
    return f"{hours} h {minutes} min" if hours else f"{minutes} min {whole % 60} s"


def time_unit(seconds: float) -> tuple[float, str]:
    """Return the unit in which a time is best written, as a factor and a name."""
    return next((unit for unit in _UNITS if seconds >= unit[0]), _UNITS[-1])


def moment(timestamp: float) -> str:
    """Return a time stamp as a date and a time of day, UTC."""
    try:
        at = datetime.fromtimestamp(timestamp, tz=UTC)
    except (OverflowError, ValueError, OSError):
        return "at an unknown time"
    return f"{at.day} {at:%B %Y, %H:%M} UTC"


def _minus(text: str) -> str:
    return text.replace("-", "−")
