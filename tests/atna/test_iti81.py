"""Retrieve ATNA Audit Event [ITI-81]: what a search asks for, and that it finds that and nothing else."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from lxml import etree

from affinity.database import Database
from atna import dicom, store_retrieval
from atna.entries import entry
from atna.fhir import instant, write
from atna.fhir_coding import JSON
from atna.fhir_xml import xml
from atna.iti81 import BadQuery, Query, parse
from atna.model import AuditMessage
from atna.reception import Arrival, Transport, receive
from atna.store import append
from atna.store_exchange import receive as store_received
from atna.store_retrieval import page
from ihe.audit import EventOutcomeIndicator
from tests.atna.test_atna_dicom import GOOD, foreign
from tests.atna.test_reception import HEADER, NODE, NOW

ALWAYS = ("date", "ge1970-01-01")


def moment(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def covers(*dates: str) -> tuple[datetime | None, datetime | None]:
    query = parse([("date", each) for each in dates])
    bounds = (query.since, query.until)
    since, until = (None if each is None else datetime.fromtimestamp(each / 1e6, UTC) for each in bounds)
    return since, until


@pytest.mark.parametrize(
    ("dates", "since", "until"),
    [
        (["ge2013-01-05", "le2013-01-05"], "2013-01-05", "2013-01-06"),
        (["2013-01-05"], "2013-01-05", "2013-01-06"),
        (["eq2013-12"], "2013-12-01", "2014-01-01"),
        (["2013"], "2013-01-01", "2014-01-01"),
        (["gt2013-01-05", "lt2013-02"], "2013-01-06", "2013-02-01"),
        (["sa2013", "eb2015"], "2014-01-01", "2015-01-01"),
        (["ge2013-01-05T10:00Z", "le2013-01-05T10:00Z"], "2013-01-05T10:00", "2013-01-05T10:01"),
        (["2013-01-05T10:00:30"], "2013-01-05T10:00:30", "2013-01-05T10:00:31"),
        (["2013-01-05T12:00:30.25+02:00"], "2013-01-05T10:00:30.25", "2013-01-05T10:00:30.26"),
        (["ge2013-01-01", "ge2013-02-01", "le2013-03-01", "le2013-02-02"], "2013-02-01", "2013-02-03"),
    ],
)
def test_a_date_covers_what_its_precision_says(dates: list[str], since: str, until: str) -> None:
    assert covers(*dates) == (moment(since), moment(until))


@given(at=st.datetimes(datetime(1970, 1, 2), datetime(2200, 1, 1), timezones=st.just(UTC)))
def test_the_time_of_an_event_finds_it(at: datetime) -> None:
    since, until = covers(instant(at))
    assert since is not None and until is not None
    assert since <= at < until


@pytest.mark.parametrize(
    ("parameters", "complaint"),
    [
        ([], "date: at least one is required"),
        ([("type", "110112")], "date: at least one is required"),
        ([("date", "yesterday")], "date: must be"),
        ([("date", "ne2013")], "date: must be"),
        ([("date", "2013-13-01")], "date: must be"),
        ([("date", "2013-01-01T99:00Z")], "date: must be"),
        ([("date", "9999-12-31")], "date: must be"),
        ([("date:missing", "true")], "modifier missing"),
        ([ALWAYS, ("type:not", "110112")], "modifier not"),
        ([ALWAYS, ("address", "")], "address: needs"),
        ([ALWAYS, ("outcome", "4,,8")], "outcome: needs"),
        ([ALWAYS, ("_count", "many")], "_count"),
        ([ALWAYS] * 101, "more than 100"),
    ],
)
def test_a_search_that_cannot_be_answered_is_refused(parameters: list[tuple[str, str]], complaint: str) -> None:
    with pytest.raises(BadQuery, match=complaint):
        parse(parameters)


def test_parameters_that_are_not_known_are_ignored() -> None:
    assert parse([ALWAYS, ("_sort", "date"), ("_include", "x"), ("colour:exact", "red")]).criteria == ()


@given(
    pairs=st.lists(
        st.tuples(
            st.sampled_from(["date", "type", "address", "_count", "_cursor", "outcome", "x"]), st.text(max_size=20)
        ),
        max_size=4,
    )
)
def test_no_words_break_the_reading_of_a_search(pairs: list[tuple[str, str]]) -> None:
    try:
        parse(pairs)
    except BadQuery as error:
        assert ":" in str(error) or "more than" in str(error)


@pytest.fixture(scope="module")
def messages(shared: Path) -> list[AuditMessage]:
    """What other systems wrote, each twice on later days, one of them failed."""
    samples = [dicom.read((shared / "samples" / "ATNA" / name).read_bytes()) for name in foreign()]
    return [*samples, *map(_a_day_later, samples)]


def _a_day_later(message: AuditMessage) -> AuditMessage:
    later = replace(
        message.event, time=message.event.time + timedelta(days=1), outcome=EventOutcomeIndicator.SERIOUS_FAILURE
    )
    return replace(message, event=later)


@pytest.fixture
def stored(database: Database, messages: list[AuditMessage]) -> Database:
    """Half of them are our own, half were received."""
    half = len(messages) // 2
    database.write(lambda connection: append(connection, map(entry, messages[:half])))
    arrivals = [
        Arrival(data=HEADER + dicom.write(each), at=NOW, peer="p", address="p", transport=Transport.TLS)
        for each in messages[half:]
    ]
    database.write(lambda connection: store_received(connection, [receive(each, NODE) for each in arrivals]))
    return database


def everything(database: Database, query: Query) -> Iterator[JSON]:
    """Page after page."""
    before = query.before
    while True:
        part = replace(query, before=before)
        found = database.read(lambda connection, part=part: page(connection, part))
        yield from found.events
        if found.following is None:
            return
        before = found.following


QUERIES = [
    [ALWAYS],
    [("date", "ge2020-03-19"), ("date", "le2020-03-19")],
    [ALWAYS, ("address", "192.168.1")],
    [ALWAYS, ("address", "XDS-ibm,81.223.215.43")],
    [ALWAYS, ("agent.identifier", "761337610410035724")],
    [ALWAYS, ("patient.identifier", "urn:oid:1.3.6.1.4.1.21367.2010.1.2.300|101")],
    [ALWAYS, ("patient.identifier", "urn:oid:2.16.840.1.113883.3.72.5.9.1|JW-824-v3,urn:oid:1.2|x")],
    [ALWAYS, ("patient.identifier", "101")],
    [ALWAYS, ("patient.identifier", "urn:oid:1.3.6.1.4.1.21367.13.20.1000|")],
    [ALWAYS, ("entity.identifier", "|10501108")],
    [ALWAYS, ("entity-type", "http://terminology.hl7.org/CodeSystem/audit-entity-type|1")],
    [ALWAYS, ("entity-role", "http://hl7.org/fhir/object-role|24")],
    [ALWAYS, ("source.identifier", "MPI")],
    [ALWAYS, ("type", "http://dicom.nema.org/resources/ontology/DCM|110112")],
    [ALWAYS, ("type", "110106,110110")],
    [ALWAYS, ("subtype", "urn:ihe:event-type-code|ITI-18"), ("outcome", "0")],
    [ALWAYS, ("outcome", "http://hl7.org/fhir/audit-event-outcome|4,8,12")],
    [ALWAYS, ("outcome", "0"), ("outcome", "8")],
    [ALWAYS, ("action", "C,U")],
    [ALWAYS, ("agent-name", "john")],
    [ALWAYS, ("policy", "urn:x")],
    [ALWAYS, ("site", "EHR_2019")],
]


def test_a_search_finds_what_fits_and_nothing_else(stored: Database, messages: list[AuditMessage]) -> None:
    events = [write(each, id=str(place)) for place, each in enumerate(messages, 1)]
    for asked in QUERIES:
        query = parse([*asked, ("_count", "4")])
        wanted = [each for each in events if query.fits(each) and _in_time(each, query)]
        assert list(everything(stored, query)) == wanted[::-1], asked
        assert wanted or asked[-1][0] in ("policy", "outcome"), asked


def _in_time(event: JSON, query: Query) -> bool:
    at = datetime.fromisoformat(event["recorded"]).timestamp() * 1e6
    return (query.since or 0) <= at < (query.until or 1e18)


def test_a_long_search_without_luck_goes_on_with_the_next_page(
    stored: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(store_retrieval, "ROWS", 3)
    monkeypatch.setattr(store_retrieval, "SCANNED", 6)
    query = parse([ALWAYS, ("source.identifier", "MPI")])
    first = stored.read(lambda connection: page(connection, query))
    assert len(first.events) < 6
    assert first.following is not None
    assert len(list(everything(stored, query))) == 6


def test_a_patient_whose_id_is_spelled_with_more_is_found_by_the_store(stored: Database) -> None:
    query = parse([ALWAYS, ("patient.identifier", "urn:oid:1.3.6.1.4.1.21367.2010.1.2.300|101")])
    assert [each["id"] for each in everything(stored, query)]


def test_an_event_in_xml_says_what_its_json_says() -> None:
    event: dict[str, Any] = write(dicom.read(GOOD), id="7")
    root = etree.fromstring(xml({"resourceType": "Bundle", "entry": [{"resource": event}], "total": 1}))
    names = {"f": "http://hl7.org/fhir"}
    assert root.xpath("string(f:entry/f:resource/f:AuditEvent/f:id/@value)", namespaces=names) == "7"
    assert root.xpath("string(//f:agent/f:requestor/@value)", namespaces=names) == "true"
    assert root.xpath("string(f:total/@value)", namespaces=names) == "1"
    assert [each.tag.partition("}")[2] for each in root.xpath("//f:AuditEvent", namespaces=names)[0]] == list(event)[1:]
