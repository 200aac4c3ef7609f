"""Databases made without feeding have the rows of a feed; variants are other people; questions find somebody."""

import sqlite3
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Table, select

from affinity.database import Database
from affinity.domain import load
from affinity.node import utc_now
from benchmarks.bulk import FILE, People, build, strangers_of
from benchmarks.questions import questions, strangers
from benchmarks.sampling import Sample, draw
from benchmarks.variants import born, multiply
from hl7v2.er7 import parse
from ihe.domain import AffinityDomain
from pix.manager import PatientIndex
from pix.model import Feed, Origin
from pix.tables import blocking, event, national, record, token, wordlist

PEOPLE = People(persons=60, strangers=5)
WHEN = frozenset({"at", "updated", "number", "origin", "message_id"})


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return build(tmp_path_factory.mktemp("growth"), PEOPLE)


@pytest.fixture(scope="module")
def domain() -> AffinityDomain:
    return load("demo").affinity_domain


def rows(database: Database, table: Table, of: str, keys: Sequence[int]) -> list[tuple[Any, ...]]:
    kept = [each for each in table.columns if each.name not in WHEN]
    asked = select(*kept).where(table.c[of].in_(keys)).order_by(*kept)
    return [tuple(row) for row in database.read(lambda connection: connection.execute(asked).all())]


def test_the_rows_of_those_who_are_alone_are_those_of_a_feed(
    built: Path, domain: AffinityDomain, database: Database
) -> None:
    index = PatientIndex(domain=domain, database=database, clock=utc_now)
    told = [(key, each) for key, each in PEOPLE.records() if key]
    for key, each in told:
        origin = Origin(source=each.source, message_id=str(key), digest="", answer=b"", transaction="load")
        index.register(Feed(identifiers=each.identifiers, demographics=each.demographics), origin)
    persons = [each.person for _, each in told]
    fed = {key for (key,) in database.read(lambda connection: connection.execute(_alone()).all())}
    alone = [key for key, each in told if persons.count(each.person) == 1 and key in fed]
    assert len(alone) > 10
    bulk = Database(f"sqlite:///{built / FILE}")
    of_record = (national, token, wordlist, blocking)
    for table, of in ((record, "key"), *((each, "record") for each in of_record)):
        assert rows(bulk, table, of, alone) == rows(database, table, of, alone), table.name
    announced = [row for row in rows(bulk, event, "record", alone) if "announced" in row]
    assert announced == [row for row in rows(database, event, "record", alone) if "announced" in row]
    bulk.close()


def _alone() -> Any:
    return select(event.c.record).where(event.c.type == "announced", event.c.after.contains('"alone":true'))


def sample_of(data: Path, domain: AffinityDomain) -> Sample:
    database = Database(f"sqlite:///{data / FILE}")
    try:
        return database.read(lambda connection: draw(connection, domain))
    finally:
        database.close()


def test_variants_are_other_people_with_the_same_names(built: Path, domain: AffinityDomain) -> None:
    many = multiply(built, 3, len(sample_of(built, domain).records))
    connection = sqlite3.connect(many / FILE)
    ((records, ids),) = connection.execute("SELECT count(*), count(DISTINCT authority || id) FROM pix_record")
    ((persons,),) = connection.execute("SELECT count(DISTINCT person) FROM pix_link")
    phones = connection.execute(
        "SELECT count(*) FROM pix_token WHERE kind = 'phone' AND NOT EXISTS (SELECT 1 FROM pix_wordlist w,"
        " json_each(w.words) each WHERE w.record = pix_token.record AND each.value = 'phone:' || pix_token.value)"
    ).fetchone()
    ((families,),) = connection.execute("SELECT count(DISTINCT family) FROM pix_record")
    connection.close()
    before = sample_of(built, domain).records
    assert records == ids == 3 * len(before)
    assert phones == (0,), "each is in its variant's word list, too"
    assert persons == 3 * len({each.person for key, each in PEOPLE.records() if key})
    assert families <= len(before)
    assert len(list(strangers(many))) == len(strangers_of(built).read_text().splitlines()) >= 5


def test_a_variant_is_born_on_another_day_if_the_day_is_known() -> None:
    assert [born("19800515", number) for number in range(3)] == ["19800515", "19830117", "19850920"]
    assert [born(each, 4) for each in (None, "", "1980", "198005")] == [None, "", "1980", "198005"]
    assert all(born("20251231", number) != "20251231" for number in range(1, 10))


def test_every_kind_of_question_is_about_somebody_of_the_sample(built: Path, domain: AffinityDomain) -> None:
    sample = sample_of(built, domain)
    asked = {each.name: each for each in questions(sample, 10)}
    assert len(asked) == 7
    assert all(len(each.requests) == 10 for each in asked.values())
    qpd = parse(asked["ITI-21 family, given, birth"].requests[0][1:-2])["QPD"]
    known = {each.demographics.names[0].family for each in sample.records}
    assert qpd.repetitions(3)[0].text(2) in known
