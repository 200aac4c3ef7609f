"""Files into the index and out again: every line once, also across a kill -9; the rest among the rejects."""

import csv
import multiprocessing
import os
import signal
import subprocess
import sys
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from io import StringIO
from pathlib import Path

import pytest
from sqlalchemy import select

from affinity.bulk import loading, preparing, reading
from affinity.bulk.exporting import export, export_golden
from affinity.bulk.formats import Format
from affinity.bulk.line import Unreadable
from affinity.bulk.loading import Outcome
from affinity.bulk.reading import LONGEST, Source
from affinity.database import Database
from affinity.domain import load
from affinity.migrations import upgrade
from affinity.population.sources import demo_sources
from affinity.population.writing import write
from pix import store_export
from pix.manager import PatientIndex
from pix.tables import event, record

ROOT = Path(__file__).parents[3]
DOMAIN = load("demo").affinity_domain
BATCH, LONGEST_BATCH = 100, reading.BATCH
NOON = datetime(2026, 11, 25, 12, tzinfo=UTC)
GOOD = "HIS|HOP-PETRUSSE,{}^^^HOP-PETRUSSE^PI,Weber,Anna,19800515,F"
HEADER = "source,identifiers,family,given,birth_time,sex"


def good(number: int) -> str:
    """A line about somebody who resembles nobody else: many namesakes would be compared, each with each."""
    born = date(1930, 1, 1) + timedelta(days=97 * number)
    family = "".join(chr(ord("a") + number * step % 26) for step in (7, 11, 3, 17, 5)).title() + "berg"
    return GOOD.format(number).replace("Weber", family).replace("19800515", f"{born:%Y%m%d}")


def nothing(_count: int) -> None:
    return None


@pytest.fixture(autouse=True)
def small_batches(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reading, "BATCH", BATCH)


@pytest.fixture
def index(database: Database) -> PatientIndex:
    return PatientIndex(domain=DOMAIN, database=database, clock=lambda: NOON)


@pytest.fixture
def file(tmp_path: Path) -> Callable[..., Path]:
    def made(*lines: str, header: str = HEADER) -> Path:
        path = tmp_path / "patients.csv"
        path.write_text("\n".join((header, *lines)) + "\n")
        return path

    return made


def source(path: Path) -> Source:
    return Source(file=path, format=Format.CSV)


def loaded(path: Path, index: PatientIndex) -> Outcome:
    return loading.load(source(path), index, nothing)


def rejects(path: Path, kind: str = "rejects") -> list[tuple[str, str]]:
    with path.with_name(f"{path.name}.{kind}").open() as opened:
        return [(row["line"], row["rule"]) for row in csv.DictReader(opened)]


def exported(index: PatientIndex) -> str:
    written = StringIO()
    export(index.database, DOMAIN, Format.CSV, written, nothing)
    return written.getvalue()


def origins(database: Database) -> list[str]:
    announced = select(event.c.message_id).where(event.c.type.in_(("announced", "updated"))).order_by(event.c.number)
    return database.read(lambda connection: list(connection.scalars(announced)))


def test_every_line_is_an_event_that_names_it(file: Callable[..., Path], index: PatientIndex) -> None:
    path = file(GOOD.format(1), GOOD.format(2))
    assert loaded(path, index) == Outcome(lines=2, already=0, stored=2, rejected=0)
    assert origins(index.database) == ["patients.csv:2", "patients.csv:3"]
    assert not path.with_name("patients.csv.rejects").exists()


def test_a_file_is_loaded_once_unless_it_is_forgotten(file: Callable[..., Path], index: PatientIndex) -> None:
    path = file(GOOD.format(1))
    loaded(path, index)
    assert loaded(path, index) == Outcome(lines=1, already=1, stored=1, rejected=0)
    assert len(origins(index.database)) == 1
    loading.forget(source(path), index)
    assert loaded(path, index).already == 0
    assert len(origins(index.database)) == 2


def test_what_is_wrong_with_a_line_is_told_and_the_others_are_stored(
    file: Callable[..., Path], index: PatientIndex
) -> None:
    wrong = (
        GOOD.format(2).replace("19800515", "19801315"),
        GOOD.format(3).replace("HIS|HOP-PETRUSSE", "").replace(",F", ",X"),
        "too,short",
        GOOD.format(4).replace("^^^HOP-PETRUSSE", "^^^NOWHERE"),
        GOOD.format(5) + "x" * LONGEST,
        "",
    )
    path = file(GOOD.format(1), *wrong, GOOD.format(9))
    assert loaded(path, index) == Outcome(lines=7, already=0, stored=2, rejected=5)
    assert rejects(path) == [
        ("3", "date"),
        ("4", "sex"),
        ("4", "source"),
        ("5", "columns"),
        ("6", "unknown-authority"),
        ("7", "length"),
    ]
    assert origins(index.database) == ["patients.csv:2", "patients.csv:9"]


def test_bytes_that_are_no_text_are_rejected(file: Callable[..., Path], index: PatientIndex) -> None:
    path = file(GOOD.format(1), GOOD.format(2))
    path.write_bytes(path.read_bytes().replace(b"Anna", b"Ann\xe9", 1).replace(b"Weber,Anna", b"Web\0r,Anna"))
    assert loaded(path, index).rejected == 2
    assert rejects(path) == [("2", "encoding"), ("3", "encoding")]


def test_what_the_index_refuses_is_a_reject_and_leaves_nothing(file: Callable[..., Path], index: PatientIndex) -> None:
    matricule = "1980051512394"
    other = f"HIS|HOP-PETRUSSE,{matricule}^^^MATRICULE^NI,Schmit,Jean,19500101,M"
    path = file(f"HIS|HOP-ALZETTE,{matricule}^^^MATRICULE^NI,Weber,Anna,19800515,F", other, GOOD.format(1))
    assert loaded(path, index) == Outcome(lines=3, already=0, stored=2, rejected=1)
    assert rejects(path) == [("3", "205")]
    assert origins(index.database) == ["patients.csv:2", "patients.csv:4"]
    keys = index.database.read(lambda connection: list(connection.scalars(select(record.c.key).order_by(record.c.key))))
    assert len(keys) == 2


def test_a_dry_run_finds_the_rejects_without_a_database(file: Callable[..., Path]) -> None:
    path = file(GOOD.format(1), GOOD.format(2).replace(",F", ",X"))
    assert loading.check(source(path), DOMAIN, nothing) == Outcome(lines=2, already=0, stored=1, rejected=1)
    assert rejects(path, "dry-run.rejects") == [("3", "sex")]
    assert not path.with_name("patients.csv.rejects").exists()


def test_rejects_that_somebody_removed_begin_anew(file: Callable[..., Path], index: PatientIndex) -> None:
    path = file(*(good(number).replace(",F", ",X") for number in range(2 * BATCH)))

    class Stopped(Exception):
        pass

    def stop_after_a_batch(size: int) -> None:
        if size and (tmp := path.with_name("patients.csv.rejects")).exists():
            tmp.unlink()
            raise Stopped

    with pytest.raises(Stopped):
        loading.load(source(path), index, stop_after_a_batch)
    assert loaded(path, index).rejected == 2 * BATCH
    assert rejects(path) == [(str(number + 2), "sex") for number in range(BATCH, 2 * BATCH)]


def test_a_wrong_header_stores_nothing(file: Callable[..., Path], index: PatientIndex) -> None:
    with pytest.raises(Unreadable):
        loaded(file(GOOD.format(1), header="a,b"), index)
    assert origins(index.database) == []


def test_the_advance_adds_up_to_the_file(file: Callable[..., Path], index: PatientIndex) -> None:
    path = file(*map(good, range(BATCH + 3)))
    steps: list[int] = []
    loading.load(source(path), index, steps.append)
    assert sum(steps) == path.stat().st_size and len(steps) == 3


def test_an_export_loads_into_the_same_records(tmp_path: Path, index: PatientIndex) -> None:
    population = tmp_path / "population.csv"
    write(population, Format.CSV, 200, 3, demo_sources(), nothing)
    assert loaded(population, index).rejected == 0
    for format in Format:
        again = tmp_path / f"again.{format.value}"
        with again.open("w", newline="") as opened:
            export(index.database, DOMAIN, format, opened, nothing)
        fresh = Database(f"sqlite:///{tmp_path / f'{format}.db'}")
        upgrade(fresh.engine)
        other = PatientIndex(domain=DOMAIN, database=fresh, clock=lambda: NOON)
        assert loading.load(Source(file=again, format=format), other, nothing).rejected == 0
        assert exported(other) == exported(index)
        fresh.close()


@pytest.mark.parametrize("format", Format)
def test_the_golden_export_has_every_person_once_with_all_its_ids(
    tmp_path: Path, index: PatientIndex, format: Format
) -> None:
    population = tmp_path / "population.csv"
    write(population, Format.CSV, 60, 3, demo_sources(), nothing)
    loaded(population, index)
    file = tmp_path / f"golden.{format.value}"
    with file.open("w", newline="") as opened:
        count = export_golden(index, format, opened, nothing)
    first, *rest = file.read_text().splitlines()
    lines = list(map(format.reader(first, DOMAIN), rest if format.has_header else [first, *rest]))
    persons = index.database.read(lambda connection: [key for page in store_export.persons(connection) for key in page])
    assert count == len(lines) == len(persons)
    for line in lines:
        one, *others = line.identifiers
        assert set(index.corresponding(one) or ()) | {one} == {one, *others}


def test_a_second_process_prepares_the_same_batches(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    population = tmp_path / "population.csv"
    monkeypatch.setattr(reading, "BATCH", LONGEST_BATCH)  # as the other process has it
    write(population, Format.CSV, 3000, 3, demo_sources(), nothing)
    here = list(preparing.prepared(source(population), DOMAIN))
    assert [len(each.lines) for each in here[:2]] == [1000, 2000]
    monkeypatch.setattr(preparing, "WORTH_A_PROCESS", 1)
    there = preparing.prepared(source(population), DOMAIN)
    assert list(there) == here
    stopped = preparing.prepared(source(population), DOMAIN)
    assert next(stopped) == here[0]
    stopped.close()  # ends the second process too, or this test would not end
    population.write_text("a,b\n1,2\n")
    with pytest.raises(Unreadable):
        list(preparing.prepared(source(population), DOMAIN))


def test_a_second_process_leaves_ctrl_c_to_the_first(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It gets the signal as well, and would say so by a trace of its own."""
    population = tmp_path / "population.csv"
    write(population, Format.CSV, 20_000, 3, demo_sources(), nothing)
    monkeypatch.setattr(preparing, "PIPE", 4096)  # it still has to send
    there = preparing.prepared(source(population), DOMAIN)
    lines = len(next(there).lines)
    (second,) = multiprocessing.active_children()
    assert second.pid is not None
    os.kill(second.pid, signal.SIGINT)
    assert lines + sum(len(each.lines) for each in there) > 30_000


@pytest.mark.parametrize("calls", [3, 5, 6, 7])
def test_a_killed_load_goes_on_where_it_was(tmp_path: Path, calls: int) -> None:
    """The clock is read when a file is begun, and in each transaction before and after the rejects are written."""
    path = tmp_path / "patients.csv"
    lines = [good(number).replace(",F", ",X" if number % 20 == 7 else ",F") for number in range(3 * BATCH)]
    path.write_text("\n".join((HEADER, *lines)) + "\n")
    killed = subprocess.run(
        [sys.executable, __file__, str(tmp_path), str(calls)], env={**os.environ, "PYTHONPATH": str(ROOT)}, check=False
    )
    assert killed.returncode == -signal.SIGKILL
    database = Database(f"sqlite:///{tmp_path / 'index.db'}")
    index = PatientIndex(domain=DOMAIN, database=database, clock=lambda: NOON)
    outcome = loaded(path, index)
    assert outcome.already == (calls - 2) // 2 * BATCH
    assert (outcome.stored, outcome.rejected) == (3 * BATCH - 15, 15)
    assert origins(database) == [f"patients.csv:{number + 2}" for number in range(3 * BATCH) if number % 20 != 7]
    assert rejects(path) == [(str(number + 2), "sex") for number in range(7, 3 * BATCH, 20)]
    database.close()


def killed_at(directory: Path, calls: int) -> None:
    """What the process that is killed does: it looks at the clock once too often."""
    read = 0

    def clock() -> datetime:
        nonlocal read
        read += 1
        if read == calls:
            os.kill(os.getpid(), signal.SIGKILL)
        return NOON

    reading.BATCH = BATCH
    database = Database(f"sqlite:///{directory / 'index.db'}")
    upgrade(database.engine)
    loaded(directory / "patients.csv", PatientIndex(domain=DOMAIN, database=database, clock=clock))


if __name__ == "__main__":
    killed_at(Path(sys.argv[1]), int(sys.argv[2]))
