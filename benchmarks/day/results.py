"""What a run found: for each kind the latencies and the errors, for each second how it went; exact to add up."""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from hdrh.histogram import HdrHistogram

from benchmarks.day.arrivals import SHARES
from benchmarks.day.latencies import histogram, merge, record
from benchmarks.day.open_loop import Outcome

COARSE = 2
"""Digits of the histograms of single seconds, of which there are many."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Results:
    """``late`` is how late the clients sent by themselves or for want of a free connection; ``cpu`` theirs, seconds."""

    kinds: Mapping[str, HdrHistogram]
    seconds: Mapping[int, HdrHistogram]
    errors: Counter[tuple[str, str]]
    late: HdrHistogram
    cpu: tuple[float, ...] = ()

    @property
    def whole(self) -> HdrHistogram:
        """All kinds together."""
        return merge(self.kinds.values())


@dataclass(slots=True)
class Recorder:
    """Takes the outcomes of one client."""

    kinds: dict[str, HdrHistogram] = field(default_factory=lambda: {kind: histogram() for kind in SHARES})
    seconds: dict[int, HdrHistogram] = field(default_factory=dict)
    errors: Counter[tuple[str, str]] = field(default_factory=Counter)
    late: HdrHistogram = field(default_factory=histogram)

    def __call__(self, outcome: Outcome) -> None:
        """Note one. An error has a latency too: who waits for it waits."""
        record(self.kinds[outcome.due.kind], outcome.latency)
        record(self.seconds.setdefault(int(outcome.due.at), histogram(COARSE)), outcome.latency)
        record(self.late, outcome.late)
        if outcome.error is not None:
            self.errors[outcome.due.kind, outcome.error] += 1

    def packed(self, cpu: float) -> dict[str, Any]:
        """As other processes can take it."""
        return {
            "kinds": {kind: each.encode() for kind, each in self.kinds.items()},
            "seconds": {second: each.encode() for second, each in self.seconds.items()},
            "errors": self.errors,
            "late": self.late.encode(),
            "cpu": cpu,
        }


def together(packed: Iterable[Mapping[str, Any]]) -> Results:
    """What several clients found, as if it had been one."""
    clients = tuple(packed)
    seconds = sorted({second for each in clients for second in each["seconds"]})
    return Results(
        kinds={kind: merge(_unpack(each["kinds"][kind] for each in clients)) for kind in SHARES},
        seconds={
            second: merge(_unpack(each["seconds"][second] for each in clients if second in each["seconds"]), COARSE)
            for second in seconds
        },
        errors=sum((each["errors"] for each in clients), Counter()),
        late=merge(_unpack(each["late"] for each in clients)),
        cpu=tuple(each["cpu"] for each in clients),
    )


def _unpack(encoded: Iterable[bytes]) -> Iterable[HdrHistogram]:
    return (HdrHistogram.decode(each) for each in encoded)
