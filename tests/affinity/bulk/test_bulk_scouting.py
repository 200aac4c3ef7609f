"""What a scout saw may be old when it is used: every decision is that of the same records fed one by one."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from random import Random

import pytest

from affinity.bulk import preparing
from affinity.bulk.formats import Format
from affinity.bulk.loading import load
from affinity.bulk.lookout import Scouts, lookout_on
from affinity.bulk.reading import Source
from affinity.population.sources import demo_sources
from affinity.population.writing import write
from ihe.identifiers import PatientKey
from pix import linking, newcomers
from pix.manager import PatientIndex
from pix.matching.subject import Subject
from pix.newcomers import Line
from pix.recent import Known, Recent
from pix.scouting import Sighting
from pix.store_blocking import CROWDED
from tests.affinity.bulk.test_bulk_rendering import Told, content, entries, fed, index_in, mixed, nothing, population


def scouts_of(index: PatientIndex, place: Path) -> Scouts:
    lookout = lookout_on(f"sqlite:///{place}", index)
    assert lookout is not None
    return Scouts(lookout)


def scouted(scouts: Scouts, lines: list[Line], random: Random) -> list[Line]:
    """Some of the lines with what is seen of them, the others as they are."""
    looked = scouts.look([each.rendering for each in lines])
    return [
        each._replace(sighting=sighting) if random.random() < 0.8 else each
        for each, sighting in zip(lines, looked, strict=True)
    ]


def ahead(scouts: Scouts, told: list[Told], size: int, lead: int, random: Random) -> Iterator[tuple[int, list[Line]]]:
    """Batches, each of which was looked for while as many as ``lead`` before it were not stored yet; what was seen."""
    waiting = []
    for start in range(0, len(told), size):
        seen = scouts.seen()
        waiting.append((seen, scouted(scouts, entries(told)[start : start + size], random)))
        if len(waiting) > lead:
            yield waiting.pop(0)
    yield from waiting


@pytest.mark.parametrize(("seed", "lead"), [(1, 0), (2, 1), (3, 2), (4, 3), (5, 2), (6, 9)])
def test_however_old_a_look_is_a_load_decides_as_feeds_do(
    tmp_path: Path, seed: int, lead: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    for each in (linking, newcomers):
        monkeypatch.setattr(each, "LARGEST", 30)
    random, told = Random(seed), mixed(seed)
    place = tmp_path / "scouted.db"
    with index_in(place) as index:
        recent, scouts = Recent(), scouts_of(index, place)
        for seen, lines in ahead(scouts, told, random.randint(20, 90), lead, random):
            recent.forget(seen)
            index.load(lines, nothing, recent)
        assert content(index) == fed(tmp_path / "fed.db", told)


def test_a_key_that_was_crowded_is_counted_anew_once_somebody_left_it(tmp_path: Path) -> None:
    """Nobody counts beyond the first who is too many, so one less may be few enough, or not."""
    source, first = population()[0]
    other = replace(first.demographics, names=population()[1][1].demographics.names, birth_time="19010203")
    (own, *_) = first.identifiers
    alike = [(source, replace(first, identifiers=(replace(own, id=f"N{at}"),))) for at in range(CROWDED + 2)]
    told = [*alike[:-1], (source, replace(alike[7][1], demographics=other)), alike[-1]]
    place = tmp_path / "scouted.db"
    with index_in(place) as index:
        recent, scouts = Recent(), scouts_of(index, place)
        index.load(entries(told[: CROWDED + 1]), nothing, recent)
        recent.forget(scouts.seen())
        (seen,) = looks(scouts, told[-1:])
        assert max(map(len, seen.sharing)) == CROWDED + 1 and not seen.weighed
        *others, last = entries(told)
        index.load([*others[CROWDED + 1 :], last._replace(sighting=seen)], nothing, recent)
        assert content(index) == fed(tmp_path / "fed.db", told)


def test_what_changed_counts_as_it_is_now() -> None:
    """Under the keys and ids that it has, and once."""
    recent, subject, id = Recent(), Subject(), ("1.2", "N1")
    recent.begin(10)
    recent.change(PatientKey(1), Known(subject, [100, 101], [(id, True)]))
    recent.put(PatientKey(2), Known(subject, [100], []))
    assert [list(recent.sharing(one, [1, 3])) for one in (100, 101, 102)] == [[3, 1, 2], [3, 1], [3]]
    assert recent.carrying(id, [(1, False), (3, True)]) == [(3, True), (1, True)]
    assert recent.carrying(("1.2", "N2"), [(1, True)]) == []
    recent.forget(11)
    assert recent.sharing(100, [1, 3]) == [1, 3]


def test_a_transaction_that_is_taken_back_is_not_remembered(tmp_path: Path) -> None:
    class Lost(Exception):
        pass

    def lose(*_: object) -> None:
        raise Lost

    told, place = population(), tmp_path / "scouted.db"
    with index_in(place) as index:
        recent, scouts = Recent(), scouts_of(index, place)
        lines = [each._replace(sighting=seen) for each, seen in zip(entries(told), looks(scouts, told), strict=True)]
        index.load(lines[:50], nothing, recent)
        with pytest.raises(Lost):
            index.load(lines[90:], lose, recent)
        index.load(lines[50:], nothing, recent)
        assert content(index) == fed(tmp_path / "fed.db", told)


def looks(scouts: Scouts, told: list[Told]) -> list[Sighting]:
    return scouts.look([each.rendering for each in entries(told)])


def test_the_process_that_reads_looks_as_well(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Of a batch that is not taken it sees all lines, and what it sees travels with them."""
    file, place = tmp_path / "population.csv", tmp_path / "scouted.db"
    write(file, Format.CSV, 300, 3, demo_sources(), lambda _count: None)
    source = Source(file=file, format=Format.CSV, source="")
    with index_in(place) as index:
        load(source, index, lambda _count: None)
        ((batch),) = preparing.prepared(source, index.domain)
        scouts = scouts_of(index, place)
        seen = preparing._scouted(batch, scouts, lambda: False)
        assert seen.seen == scouts.seen() > 1
        assert all(line.sighting for line in seen.lines) and any(line.sighting.weighed for line in seen.lines)
        assert preparing._unpacked(preparing._packed(seen)) == seen
        assert preparing._scouted(batch, scouts, lambda: True).lines == batch.lines


def test_two_processes_load_as_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = tmp_path / "population.csv"
    write(file, Format.CSV, 2500, 3, demo_sources(), lambda _count: None)
    source = Source(file=file, format=Format.CSV, source="")
    with index_in(tmp_path / "one.db") as index:
        load(source, index, lambda _count: None)
        alone = content(index)
    monkeypatch.setattr(preparing, "WORTH_A_PROCESS", 1)
    with index_in(tmp_path / "two.db") as index:
        load(source, index, lambda _count: None, lookout_on(f"sqlite:///{tmp_path / 'two.db'}", index))
        assert content(index) == alone


def test_nobody_looks_where_others_write_or_each_is_looked_at_alone(tmp_path: Path) -> None:
    with index_in(tmp_path / "index.db") as index:
        assert lookout_on("postgresql+psycopg://user@host/name", index) is None
    with index_in(tmp_path / "other.db", is_national_id=lambda _id: False) as index:
        assert lookout_on(f"sqlite:///{tmp_path / 'other.db'}", index) is None
