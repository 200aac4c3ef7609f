"""An invented population through ``affinity pix load``: how fast, and databases of any size for other benchmarks."""

import json
import subprocess
import time
from dataclasses import dataclass
from pathlib import Path

from benchmarks.figures import Aim, Better, Effort, Figure, Say
from benchmarks.process import cpu_seconds, start

PERSONS = 12_000
"""A file of several MiB, so that a second process reads it as it would a register; five batches."""
AIM = Aim(Better.HIGHER, 1700)
"""Records a second: a million in ten minutes."""
DOMAIN = "demo"
"""The population has its numbers from this domain's sources; a node on its database needs the same one."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Built:
    """A data directory with the records of a population in it."""

    data: Path
    records: int
    seconds: float
    cpu: float
    """Seconds of CPU of the process that stores; the one that reads is not in it."""

    @property
    def rate(self) -> float:
        """Records a second."""
        return self.records / self.seconds


def build(directory: Path, persons: int, seed: int = 1) -> Built:
    """Make a data directory with ``persons`` people in it: minutes for 100,000."""
    file, data = directory / f"population-{persons}-{seed}.csv", directory / f"index-{persons}-{seed}"
    if not file.exists():
        _run("demo", "population", str(persons), "--seed", str(seed), "--out", str(file))
    began = time.perf_counter()
    options = ("pix", "load", str(file), "--data", str(data), "--domain", DOMAIN, "--json")
    process = start("affinity", options, stdout=subprocess.PIPE)
    assert process.stdout is not None
    said = process.stdout.read(1)  # the answer comes when all is stored
    cpu = cpu_seconds(process.pid)
    (outcome,) = json.loads(said + process.stdout.read())
    if process.wait() or outcome["rejected"] or outcome["already"]:
        raise RuntimeError(f"the population was not loaded whole: {outcome}")
    return Built(data=data, records=outcome["stored"], seconds=time.perf_counter() - began, cpu=cpu)


def measure(directory: Path, effort: Effort, say: Say) -> list[Figure]:
    """Load one population into empty indexes."""
    built = []
    for number in range(effort.runs):
        say("files of patients")
        place = directory / f"load{number}"
        place.mkdir()
        built.append(build(place, effort.count(PERSONS)))
    rates = tuple(each.rate for each in built)
    costs = tuple(each.cpu / each.records * 1e6 for each in built)
    name = "a population's records"
    return [
        Figure(benchmark="affinity pix load", name=name, unit="records/s", runs=rates, aim=AIM),
        Figure(benchmark="affinity pix load", name=f"{name}, cost", unit="µs CPU", runs=costs),
    ]


def _run(*words: str) -> None:
    process = start("affinity", words)
    if process.wait():
        raise RuntimeError(f"affinity {' '.join(words)} failed")
