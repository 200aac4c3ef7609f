"""What a node measures at the moment it is asked: queues, pool, disk, and what waits in the database.

Gauges of ``/metrics`` that nobody has to keep up to date. Labels name parts of the node, never anything of a patient.
"""

import shutil
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from threading import Lock

from prometheus_client import CollectorRegistry
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.registry import Collector

SECONDS = 5.0
"""How long what was read of database and disk is told again, however often somebody asks."""

Values = Mapping[tuple[str, ...], float]
"""A value for each combination of labels."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Measure:
    """One gauge. ``labels`` are the names of the labels, in the order of the keys of ``values``."""

    name: str
    help: str
    values: Values
    labels: Sequence[str] = ()

    def family(self) -> GaugeMetricFamily:
        """The same for the exposition."""
        made = GaugeMetricFamily(self.name, self.help, labels=self.labels)
        for labels, value in self.values.items():
            made.add_metric(labels, value)
        return made


Measured = Callable[[], Iterable[Measure]]


def single(name: str, help: str, value: float) -> Measure:
    """A gauge without labels."""
    return Measure(name=name, help=help, values={(): value})


@dataclass(slots=True)
class Kept:
    """Measures that cost something, read at most every few seconds. ``clock`` gives seconds that only grow."""

    measured: Measured
    clock: Callable[[], float] = time.monotonic
    _lock: Lock = field(default_factory=Lock)
    _until: float = float("-inf")
    _last: tuple[Measure, ...] = ()

    def __call__(self) -> tuple[Measure, ...]:
        """What was read last; who asks while it is read waits for it."""
        with self._lock:
            if self.clock() >= self._until:
                self._last = tuple(self.measured())
                self._until = self.clock() + SECONDS
            return self._last


class Measures(Collector):
    """The measures of one node for one exposition."""

    def __init__(self, *sources: Measured) -> None:
        self._sources = sources

    def collect(self) -> Iterator[GaugeMetricFamily]:
        """Read everything now."""
        for source in self._sources:
            for measure in source():
                yield measure.family()


def registry(*sources: Measured) -> CollectorRegistry:
    """A registry of what is measured when it is asked."""
    made = CollectorRegistry(auto_describe=False)
    made.register(Measures(*sources))
    return made


def disk(data: Path) -> Measure:
    """Room on the file system of the data directory, in bytes."""
    usage = shutil.disk_usage(data)
    return Measure(
        name="affinity_disk_bytes",
        help="Room on the file system of the data directory: used, and free for this node",
        labels=("state",),
        values={("used",): usage.used, ("free",): usage.free},
    )
