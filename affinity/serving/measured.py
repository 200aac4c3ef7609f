"""What each worker measures of itself, kept where whichever of them is asked finds it and sums it up.

The client library of Prometheus keeps the metrics of several processes in files of one directory. Counters stay when a
worker ends, so that a sum never falls; what is measured of a worker goes with it.
"""

import threading
from collections.abc import Iterable, Iterator, Mapping
from time import sleep
from typing import Literal

from prometheus_client import Counter, Gauge

from affinity.measures import Measure, Measured
from affinity.metrics import PROCESS, REGISTRY

SECONDS = 5.0
Mode = Literal["livesum", "livemax", "min", "sum"]
MODES: Mapping[str, Mode] = {
    "affinity_build_info": "livemax",
    "process_start_time_seconds": "min",
    "process_cpu_seconds_total": "sum",
}
"""How the values of the workers are put together; all others are summed over those that live.

The start is that of the node: a rolling restart is none.
"""
STARTED = Counter(
    "affinity_workers_started_total",
    "Workers that became ready, replacements included",
    registry=REGISTRY,
)


def share(measured: Measured) -> Measured:
    """Keep what is measured up to date for all workers; of one alone nothing is left to be told."""
    threading.Thread(target=_publish, args=(measured,), name="affinity-measures", daemon=True).start()
    return tuple


def _publish(measured: Measured) -> None:
    gauges: dict[str, Gauge] = {}
    while True:
        note((*measured(), *_of_process()), gauges)
        sleep(SECONDS)


def note(measures: Iterable[Measure], gauges: dict[str, Gauge]) -> None:
    """Set the gauges, those that are new as well."""
    for each in measures:
        if each.name not in gauges:
            mode = MODES.get(each.name, "livesum")
            gauges[each.name] = Gauge(each.name, each.help, each.labels, registry=None, multiprocess_mode=mode)
        gauge = gauges[each.name]
        for labels, value in each.values.items():
            (gauge.labels(*labels) if labels else gauge).set(value)


def _of_process() -> Iterator[Measure]:
    """Memory, processor time and open files: what one process tells by itself, and several do not."""
    for family in PROCESS.collect():
        for sample in family.samples:
            yield Measure(name=sample.name, help=family.documentation, values={(): sample.value})
