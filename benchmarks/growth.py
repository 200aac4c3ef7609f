"""How the patient index grows: one node on databases of different sizes, each asked and fed in the same ways.

Questions come first and feeds after them, for feeds make the database larger. Before each kind is measured, as many
other questions of that kind are asked, so that the pages are in memory.
"""

import shutil
import sqlite3
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from enum import StrEnum
from itertools import islice
from pathlib import Path
from statistics import quantiles

from affinity.database import Database
from affinity.domain import load as load_domain
from benchmarks import bulk, load, postgresql, variants
from benchmarks.bulk import People
from benchmarks.figures import Aim, Better, Effort, Figure, Say
from benchmarks.node import Node
from benchmarks.process import cpu_seconds, family_cpu_seconds
from benchmarks.questions import ANSWERED, Questions, questions, strangers, updates
from benchmarks.sampling import Sample, draw

DOMAIN = "demo"
QUESTIONS = 400
FEEDS = {1: 400, 50: 3000}
GENERATED = 100_000
"""Most people who are invented one by one; more are variants of these."""
P50 = Aim(Better.LOWER, 1.5)
P99 = Aim(Better.LOWER, 10)
RATE = Aim(Better.HIGHER, 1000)
OneSize = Callable[[int, postgresql.Server | None], Iterable[Figure]]
"""Makes a database of one size, on a server if there is one, and measures it."""


class Engine(StrEnum):
    """Where the index is kept."""

    SQLITE = "sqlite"
    POSTGRESQL = "postgresql"


@dataclass(frozen=True, slots=True, kw_only=True)
class Index:
    """A database of one size. ``servers`` are processes whose children do the database's work."""

    persons: int
    records: int
    size: int
    data: Path
    url: str | None
    servers: tuple[int, ...] = ()

    def cpu(self, node: Node) -> float:
        """Seconds of CPU of the node and its database so far."""
        return cpu_seconds(node.pid) + sum(map(family_cpu_seconds, self.servers))


def measure(
    directory: Path, effort: Effort, say: Say, persons: Sequence[int] = (10_000,), engine: Engine = Engine.SQLITE
) -> list[Figure]:
    """All figures of each size, and how the largest compares with the smallest."""

    def one(count: int, server: postgresql.Server | None) -> Iterator[Figure]:
        say(f"{engine}, {count:,} people: the database")
        index = _index(directory, count, server)
        yield from _figures(index, engine, effort, say)
        shutil.rmtree(index.data)

    return each_size(directory, engine, persons, "people", one)


def each_size(directory: Path, engine: Engine, sizes: Sequence[int], of: str, one: OneSize) -> list[Figure]:
    """The figures of every size, the smallest first, then their ratios; ``of`` says what is counted."""
    with ExitStack() as stack:
        server = None
        if engine is Engine.POSTGRESQL:
            server = stack.enter_context(postgresql.Server(directory / "postgresql"))
        found = {count: list(one(count, server)) for count in sorted(sizes)}
    return [each for figures in found.values() for each in figures] + list(ratios(found, of))


def _index(directory: Path, persons: int, server: postgresql.Server | None) -> Index:
    """The index as feeds would have left it, in a data directory of a node to come."""
    times = -(-persons // GENERATED)
    built = bulk.build(directory, People(persons=persons // times, strangers=_strangers_needed()))
    if times > 1:
        built = variants.multiply(built, times, _records(built))
    data = directory / f"node-{persons}"
    data.mkdir()
    shutil.copy(bulk.strangers_of(built), bulk.strangers_of(data))
    file, records = built / bulk.FILE, _records(built)
    if server is None:
        shutil.copy(file, data / bulk.FILE)
        return Index(persons=persons, records=records, size=file.stat().st_size, data=data, url=None)
    url, size = server.create(f"people{persons}", file)
    return Index(persons=persons, records=records, size=size, data=data, url=url, servers=(server.pid,))


def _strangers_needed() -> int:
    """Each of them has at least one record."""
    return sum(FEEDS.values())


def _records(data: Path) -> int:
    connection = sqlite3.connect(data / bulk.FILE)
    ((count,),) = connection.execute("SELECT max(key) FROM pix_record")
    connection.close()
    return int(count)


def _figures(index: Index, engine: Engine, effort: Effort, say: Say) -> Iterator[Figure]:
    benchmark = f"{engine}, {index.persons:,} people"

    def figure(name: str, unit: str, value: float, aim: Aim | None = None) -> Figure:
        return Figure(benchmark=benchmark, name=name, unit=unit, runs=(value,), aim=aim)

    yield figure("records", "records", index.records)
    yield figure("database", "MiB", index.size / 2**20)
    yield figure("each record", "bytes", index.size / index.records)
    sample = _sample(index)
    with Node(index.data, DOMAIN, index.url) as node:
        for each in questions(sample, 2 * effort.count(QUESTIONS)):
            say(f"{benchmark}: {each.name}")
            seconds, cpu = asked(index, node, each)
            percent = [1e3 * each for each in quantiles(seconds, n=100, method="inclusive")]
            yield figure(f"{each.name}, p50", "ms", percent[49])
            yield figure(f"{each.name}, p99", "ms", percent[98], P99)
            yield figure(f"{each.name}, cost", "µs CPU", 1e6 * cpu / len(seconds))
        yield from (
            figure(name, unit, value, RATE if "50" in name and unit == "messages/s" else None)
            for name, unit, value in _fed(index, node, sample, effort, say)
        )


def _sample(index: Index) -> Sample:
    domain = load_domain(DOMAIN).affinity_domain
    database = Database(index.url or f"sqlite:///{index.data / bulk.FILE}")
    try:
        return database.read(lambda connection: draw(connection, domain))
    finally:
        database.close()


def asked(index: Index, node: Node, asked: Questions) -> tuple[tuple[float, ...], float]:
    """Seconds of each answer, and of CPU of them all; the first half of the questions only warms up."""
    half, port = len(asked.requests) // 2, node.ports[asked.port]
    load.latencies(port, asked.requests[:half], asked.dialogue)
    before = index.cpu(node)
    seconds = load.latencies(port, asked.requests[half:], asked.dialogue)
    return seconds, index.cpu(node) - before


def _fed(index: Index, node: Node, sample: Sample, effort: Effort, say: Say) -> Iterator[tuple[str, str, float]]:
    """Messages a second and what one costs, of new people and of people who are known."""
    new, known = strangers(index.data), iter(updates(sample, len(sample.records)))
    for connections, full in FEEDS.items():
        for name, messages in (("ADT^A28", new), ("ADT^A31", known)):
            say(f"{name} over {connections} connections")
            some = list(islice(messages, effort.count(full)))
            before = index.cpu(node)
            rate = load.run(node.ports["mllp"], connections, some, ANSWERED).rate
            what = f"{name}, {connections} connection{'s' if connections > 1 else ''}"
            yield what, "messages/s", rate
            yield f"{what}, cost", "µs CPU", 1e6 * (index.cpu(node) - before) / len(some)


def ratios(found: dict[int, list[Figure]], of: str) -> Iterator[Figure]:
    """The largest by the smallest: times for a question, and rates of feeds. ``of`` says what is counted."""
    smallest, largest = min(found), max(found)
    if smallest == largest:
        return
    before = {each.name: each.value for each in found[smallest]}
    for each in found[largest]:
        if each.name.endswith("p50") or each.unit in ("messages/s", "submissions/s", "µs CPU"):
            yield Figure(
                benchmark=f"{largest:,} {of} ÷ {smallest:,}",
                name=each.name,
                unit="×",
                runs=(each.value / before[each.name],),
                aim=P50 if each.name.endswith("p50") else None,
            )
