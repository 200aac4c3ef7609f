"""Latencies as histograms (HdrHistogram): of any length in a bounded space, and exact to add up over processes."""

from collections.abc import Iterable

from hdrh.histogram import HdrHistogram

LONGEST = 600_000_000
"""Microseconds; what takes longer counts as this."""
PERCENTILES = (50.0, 90.0, 99.0, 99.9)


def histogram(digits: int = 3) -> HdrHistogram:
    """An empty one, exact to so many decimal digits."""
    return HdrHistogram(1, LONGEST, digits)


def record(into: HdrHistogram, seconds: float) -> None:
    """Add one latency."""
    into.record_value(min(max(int(seconds * 1e6), 1), LONGEST))


def merge(parts: Iterable[HdrHistogram], digits: int = 3) -> HdrHistogram:
    """All values of several."""
    whole = histogram(digits)
    for each in parts:
        whole.add(each)
    return whole


def milliseconds(of: HdrHistogram, percentile: float) -> float:
    """The latency that so many percent did not exceed; 0 of an empty one."""
    return of.get_value_at_percentile(percentile) / 1e3 if of.get_total_count() else 0.0
