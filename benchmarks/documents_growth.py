"""How the registry grows: one node on databases with more and more documents, each asked and fed in the same ways.

As many questions of a kind as are measured are asked before, so that the pages are in memory; patients and documents
are drawn at random over the whole registry, each as likely as any other.
"""

import resource
import shutil
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from random import Random
from statistics import quantiles

import psycopg
from sqlalchemy import create_engine, select

from benchmarks import bulk, load, messages, postgresql
from benchmarks.documents_bulk import patient_id, patients
from benchmarks.documents_filling import fill_postgresql, fill_sqlite
from benchmarks.figures import Effort, Figure, Say
from benchmarks.growth import Engine, Index, asked, each_size
from benchmarks.node import Node
from benchmarks.process import family_cpu_seconds
from benchmarks.questions import Questions
from ihe.identifiers import new_oid
from xds.tables import document_entry

QUESTIONS, SUBMISSIONS = 400, 200
CONNECTIONS = 8
DOCUMENT = 20_000
SIZES = {"k": 1_000, "m": 1_000_000}


def parse_sizes(written: str) -> list[int]:
    """Read ``10k,100k,1M``."""
    sizes = (each.strip().lower() for each in written.split(","))
    return [int(float(each[:-1]) * SIZES[each[-1]]) if each[-1] in SIZES else int(each) for each in sizes]


def measure(
    directory: Path, effort: Effort, say: Say, sizes: Sequence[int] = (10_000,), engine: Engine = Engine.SQLITE
) -> list[Figure]:
    """All figures of each size, and how the largest compares with the smallest."""

    def one(documents: int, server: postgresql.Server | None) -> Iterator[Figure]:
        say(f"{engine}, {documents:,} documents: the database")
        began, before = time.perf_counter(), _cpu(server)
        index = _filled(directory, documents, server)
        made = (time.perf_counter() - began, _cpu(server) - before)
        yield from _figures(index, engine, made, effort, say)
        shutil.rmtree(index.data)

    return each_size(directory, engine, sizes, "documents", one)


def _cpu(server: postgresql.Server | None) -> float:
    """Seconds of CPU of this process, of those that it waited for, and of the database."""
    waited_for = resource.getrusage(resource.RUSAGE_CHILDREN)
    own = time.process_time() + waited_for.ru_utime + waited_for.ru_stime
    return own + (family_cpu_seconds(server.pid) if server else 0.0)


def _filled(directory: Path, documents: int, server: postgresql.Server | None) -> Index:
    data = directory / f"documents-{documents}"
    data.mkdir()
    if server is None:
        fill_sqlite(data / bulk.FILE, documents)
        size = (data / bulk.FILE).stat().st_size
        return Index(persons=patients(documents), records=documents, size=size, data=data, url=None)
    url = server.empty(f"documents{documents}")
    uri = url.replace("postgresql+psycopg://", "postgresql://")
    fill_postgresql(url, uri, documents)
    with psycopg.connect(uri) as connection:
        found = connection.execute("SELECT pg_database_size(current_database())").fetchone()
    assert found is not None
    return Index(
        persons=patients(documents), records=documents, size=int(found[0]), data=data, url=url, servers=(server.pid,)
    )


def _figures(index: Index, engine: Engine, made: tuple[float, float], effort: Effort, say: Say) -> Iterator[Figure]:
    benchmark = f"{engine}, {index.records:,} documents"

    def figure(name: str, unit: str, value: float) -> Figure:
        return Figure(benchmark=benchmark, name=name, unit=unit, runs=(value,))

    seconds, cpu = made
    yield figure("made", "documents a second", index.records / seconds)
    yield figure("made, CPU of each document", "µs", 1e6 * cpu / index.records)
    yield figure("database", "MiB", index.size / 2**20)
    yield figure("each document", "bytes", index.size / index.records)
    with Node(index.data, database_url=index.url) as node:
        name, rate, cost, ids = _submitted(index, node, effort, say)
        yield figure(name, "submissions/s", rate)
        yield figure(f"{name}, cost", "µs CPU", cost)
        for each in _questions(index, ids, 2 * effort.count(QUESTIONS)):
            say(f"{benchmark}: {each.name}")
            answers, used = asked(index, node, each)
            percent = [1e3 * one for one in quantiles(answers, n=100, method="inclusive")]
            yield figure(f"{each.name}, p50", "ms", percent[49])
            yield figure(f"{each.name}, p99", "ms", percent[98])
            yield figure(f"{each.name}, cost", "µs CPU", 1e6 * used / len(answers))


def _submitted(index: Index, node: Node, effort: Effort, say: Say) -> tuple[str, float, float, list[str]]:
    """ITI-41 of one document each about patients drawn at random, and the uniqueIds, whose bytes can be retrieved."""
    say(f"{index.records:,} documents: ITI-41")
    random, ids = Random(1), [new_oid() for _ in range(effort.count(SUBMISSIONS))]
    requests = [
        messages.provide(patient_id(random.randint(1, index.persons)), [id.encode().ljust(DOCUMENT, b".")], [id])
        for id in ids
    ]
    before = index.cpu(node)
    rate = load.run(node.ports["http"], CONNECTIONS, requests, load.HTTP).rate
    return f"ITI-41, {CONNECTIONS} connections", rate, 1e6 * (index.cpu(node) - before) / len(ids), ids


def _questions(index: Index, stored: Sequence[str], count: int) -> Iterator[Questions]:
    random = Random(2)
    keys = [random.randint(1, index.persons) for _ in range(count)]
    kinds = {
        "ITI-18 by patient": [messages.find_documents(patient_id(key)) for key in keys],
        "ITI-18 by UUID": [messages.get_document(uuid) for uuid in _uuids(index, keys)],
        "ITI-43": [messages.retrieve(random.choice(stored)) for _ in range(count)],
    }
    for name, requests in kinds.items():
        yield Questions(name=name, port="http", requests=tuple(requests), dialogue=load.HTTP)


def _uuids(index: Index, keys: Sequence[int]) -> Iterator[str]:
    """An entry of each of these patients."""
    engine = create_engine(index.url or f"sqlite:///{index.data / bulk.FILE}")
    column = document_entry.c
    with engine.connect() as connection:
        for key in keys:
            first = select(column.entry_uuid).where(column.patient_key == key).order_by(column.id).limit(1)
            yield connection.execute(first).scalar_one()
    engine.dispose()
