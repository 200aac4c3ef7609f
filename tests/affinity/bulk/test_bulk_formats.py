"""Lines of CSV and FHIR: what is written is read back, and what cannot be read is refused by the name of a rule."""

import json
from collections.abc import Callable
from dataclasses import replace
from itertools import islice
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis.strategies import SearchStrategy, booleans, builds, composite, just, lists, none, sampled_from, text

from affinity.bulk import fhir_writing
from affinity.bulk.checks import CHECKS, breaches
from affinity.bulk.fhir_tables import ADDRESS_USES, ALIAS_USES, GENDERS, MAILING, NAME_USES, TELECOMS
from affinity.bulk.formats import Format, format_of
from affinity.bulk.line import PatientLine, Unreadable, read_identifiers, write_identifiers
from affinity.domain import load
from affinity.population import records
from pix.model import Address, Coded, Demographics, Identifier, PersonName, Telecom

DOMAIN = load("demo").affinity_domain
AUTHORITIES = DOMAIN.assigning_authorities
WORDS = text("aZéßЖ -'\"^~\\&|;,<{#0", min_size=1, max_size=12).map(str.strip).filter(bool)
MAYBE = just("") | WORDS
DAYS = sampled_from(("1980", "198005", "19800515", "20240229"))


def some(strategy: SearchStrategy[Any], most: int) -> SearchStrategy[tuple[Any, ...]]:
    return lists(strategy, max_size=most).map(tuple)


def types(table: Any) -> SearchStrategy[str]:
    return sampled_from(("", *table))


identifiers = some(
    builds(Identifier, authority=sampled_from(AUTHORITIES), id=WORDS, type_code=sampled_from(("", "PI", "NI"))), 3
)
codes = builds(Coded, code=WORDS)


def names(table: Any, **more: SearchStrategy[str]) -> SearchStrategy[PersonName]:
    return builds(PersonName, family=WORDS, given=WORDS, prefix=MAYBE, suffix=MAYBE, type_code=types(table), **more)


@composite
def in_csv(draw: Any) -> PatientLine:
    """What a line of CSV carries."""
    name = names(NAME_USES, further_given=MAYBE, degree=MAYBE, own_family=MAYBE, partner_family=MAYBE)
    address = builds(Address, street=WORDS, house_number=MAYBE, city=MAYBE, postal_code=MAYBE, type_code=MAYBE)
    phone = builds(Telecom, number=WORDS, use=MAYBE, equipment=MAYBE, email=MAYBE)
    known = builds(
        Demographics,
        names=some(name, 2),
        aliases=some(name, 1),
        mothers_maiden_names=some(name, 1),
        addresses=some(address, 2),
        home_phones=some(phone, 3),
        business_phones=some(phone, 1),
        birth_time=none() | DAYS,
        sex=none() | sampled_from("FMOUAN"),
        languages=some(codes, 1),
        citizenships=some(codes, 1),
        marital_status=none() | codes,
        nationality=none() | codes,
        religion=none() | codes,
        ssn=none() | WORDS,
        birth_place=none() | WORDS,
        multiple_birth=none() | sampled_from("YN"),
        birth_order=none() | sampled_from("123"),
        death_time=none() | DAYS,
        death_indicator=none() | sampled_from("YN"),
    )
    return PatientLine(source=draw(MAYBE), identifiers=draw(identifiers), demographics=draw(known))


@composite
def in_fhir(draw: Any) -> PatientLine:
    """What a Patient resource carries."""
    further = names(NAME_USES, further_given=MAYBE)
    alias = builds(PersonName, family=WORDS, type_code=sampled_from(tuple(ALIAS_USES)))
    address = builds(
        Address,
        street=WORDS,
        other_designation=MAYBE,
        city=MAYBE,
        county=MAYBE,
        state=MAYBE,
        postal_code=MAYBE,
        country=MAYBE,
        type_code=types((*ADDRESS_USES, MAILING)),
    )
    home = tuple(pair for use, pair in TELECOMS.items() if use[1] != "work")
    work = tuple(pair for use, pair in TELECOMS.items() if use[1] == "work")
    coded = builds(Coded, code=WORDS, text=MAYBE) | builds(Coded, text=WORDS)
    death, indicator = draw(none() | DAYS), draw(none() | sampled_from("YN"))
    order = draw(none() | sampled_from("123"))
    known = builds(
        Demographics,
        names=some(further, 3),
        aliases=some(alias, 2),
        mothers_maiden_names=some(builds(PersonName, family=WORDS, given=WORDS, type_code=just("M")), 2),
        addresses=some(address, 3),
        home_phones=some(_phones(home) | builds(Telecom, number=WORDS) | _emails("NET"), 3),
        business_phones=some(_phones(work) | _emails("WPN"), 3),
        birth_time=none() | DAYS,
        sex=none() | sampled_from(tuple(GENDERS)),
        languages=some(coded, 2),
        citizenships=some(coded, 2),
        marital_status=none() | coded,
        nationality=none() | coded,
        religion=none() | coded,
        ssn=none() | WORDS,
        birth_place=none() | WORDS,
        multiple_birth=just("Y") if order else none() | sampled_from("YN"),
        birth_order=just(order),
        death_time=just(death),
        death_indicator=just("Y" if death else indicator),
    )
    return PatientLine(source=draw(MAYBE), identifiers=draw(identifiers), demographics=draw(known))


def _phones(pairs: tuple[tuple[str, str], ...]) -> SearchStrategy[Telecom]:
    return sampled_from(pairs).flatmap(
        lambda pair: builds(Telecom, number=WORDS, use=just(pair[0]), equipment=just(pair[1]))
    )


def _emails(use: str) -> SearchStrategy[Telecom]:
    return builds(Telecom, email=WORDS, use=just(use), equipment=just("Internet"))


def again(format: Format, line: PatientLine) -> PatientLine:
    written = format.write(line)
    assert written.endswith("\n") and written.count("\n") == 1
    return format.reader(format.header, DOMAIN)(written.rstrip("\n"))


@given(in_csv())
def test_what_csv_carries_comes_back(line: PatientLine) -> None:
    assert again(Format.CSV, line) == line


@given(in_fhir())
def test_what_fhir_carries_comes_back(line: PatientLine) -> None:
    assert again(Format.FHIR, line) == line


@given(in_csv() | in_fhir(), sampled_from(Format))
def test_what_a_format_made_of_a_line_stays_so(line: PatientLine, format: Format) -> None:
    once = again(format, line)
    assert again(format, once) == once


@given(identifiers)
def test_identifiers_come_back_from_their_text(some: tuple[Identifier, ...]) -> None:
    found = read_identifiers(DOMAIN, write_identifiers(some))
    assert [(each.key, each.type_code) for each in found] == [(each.key, each.type_code) for each in some]


@pytest.mark.parametrize("format", Format)
def test_the_population_comes_back_from_both_formats(format: Format) -> None:
    for each in islice(records(300, 5), 300):
        line = PatientLine(source=each.source, identifiers=each.identifiers, demographics=each.demographics)
        assert again(format, line) == line
        assert breaches(line) == []


@given(text(max_size=200))
def test_any_text_is_a_patient_or_unreadable(line: str) -> None:
    for format in Format:
        read = format.reader(format.header, DOMAIN)
        try:
            read(line)
        except Unreadable as error:
            assert error.rule


ODD: tuple[Callable[[dict[str, Any]], None], ...] = (
    lambda resource: resource.update(name="Weber"),
    lambda resource: resource.update(name=["Weber"]),
    lambda resource: resource.update(birthDate=19800515),
    lambda resource: resource["name"][0].update(given="Anna"),
    lambda resource: resource["name"][0].update(use={}),
    lambda resource: resource.update(maritalStatus=[]),
    lambda resource: resource.update(resourceType="Person"),
    lambda resource: resource.update(identifier=[{"system": "https://example.org", "value": "1"}]),
    lambda resource: resource.update(identifier=[{"system": "urn:oid:2.25.1", "value": "1"}]),
    lambda resource: resource.update(identifier=[{"system": f"urn:oid:{AUTHORITIES[0].oid}"}]),
    lambda resource: resource["name"][0].update(family="\ud800"),
    lambda resource: resource.update(deceasedBoolean="true"),
    lambda resource: resource.update(multipleBirthBoolean=1),
    lambda resource: resource.update(multipleBirthInteger="2"),
    lambda resource: resource.update(multipleBirthInteger=2.0),
    lambda resource: resource.update(multipleBirthInteger=True),
)
ANNA = Demographics(names=(PersonName(family="Weber", given="Anna"),), birth_time="19800515", sex="F")
LINE = PatientLine(
    source="HIS|HOP-PETRUSSE", identifiers=(Identifier(authority=AUTHORITIES[2], id="1"),), demographics=ANNA
)


@pytest.mark.parametrize("spoil", ODD)
def test_a_resource_with_one_odd_part_is_unreadable(spoil: Callable[[dict[str, Any]], None]) -> None:
    resource = fhir_writing.resource(LINE)
    Format.FHIR.reader("", DOMAIN)(json.dumps(resource))
    spoil(resource)
    with pytest.raises(Unreadable):
        Format.FHIR.reader("", DOMAIN)(json.dumps(resource))


def test_a_name_that_stands_twice_in_one_object_is_unreadable() -> None:
    written = json.dumps(fhir_writing.resource(LINE))
    with pytest.raises(Unreadable, match=r"^birthDate stands twice") as caught:
        Format.FHIR.reader("", DOMAIN)(written.replace("{", '{"birthDate": "1990-01-01", ', 1))
    assert caught.value.rule == "structure"


MANY = tuple(Identifier(authority=AUTHORITIES[2], id=str(number)) for number in range(201))
BROKEN = (
    ("source", replace(LINE, source="")),
    ("identifier", replace(LINE, identifiers=())),
    (
        "identifier",
        replace(LINE, identifiers=tuple(Identifier(authority=AUTHORITIES[2], id=str(n)) for n in range(201))),
    ),
    ("foreign-source", replace(LINE, source="HIS|HOP-ALZETTE")),
    ("name", replace(LINE, demographics=replace(ANNA, names=()))),
    ("date", replace(LINE, demographics=replace(ANNA, birth_time="19800230"))),
    ("date", replace(LINE, demographics=replace(ANNA, death_time="yesterday"))),
    ("sex", replace(LINE, demographics=replace(ANNA, sex="X"))),
    ("indicator", replace(LINE, demographics=replace(ANNA, multiple_birth="yes"))),
    ("indicator", replace(LINE, demographics=replace(ANNA, death_indicator="1"))),
    ("birth-order", replace(LINE, demographics=replace(ANNA, birth_order="first"))),
    ("long-text", replace(LINE, demographics=replace(ANNA, names=(PersonName(family="W" * 257),)))),
    ("long-text", replace(LINE, identifiers=(replace(LINE.identifiers[0], id="1" * 257),))),
)


@pytest.mark.parametrize(("rule", "line"), BROKEN)
def test_one_change_breaks_one_rule(rule: str, line: PatientLine) -> None:
    assert breaches(LINE) == []
    assert [name for name, _ in breaches(line)] == [rule]


def test_every_rule_has_its_offender() -> None:
    assert {rule for rule, _ in BROKEN} == {rule for rule, _ in CHECKS}


@pytest.mark.parametrize("header", ["", "family,given", "identifiers,surname", "identifiers,sex,sex"])
def test_a_header_that_is_none_is_refused(header: str) -> None:
    with pytest.raises(Unreadable):
        Format.CSV.reader(header, DOMAIN)


def test_a_header_may_have_a_mark_semicolons_and_the_columns_of_its_choice() -> None:
    read = Format.CSV.reader("\ufefffamily; identifiers;given ", DOMAIN)
    line = read("Weber;1^^^HOP-PETRUSSE;Anna")
    assert line.identifiers == LINE.identifiers and line.source == ""
    assert line.demographics == Demographics(names=(PersonName(family="Weber", given="Anna"),))


def test_a_column_without_a_name_is_told() -> None:
    with pytest.raises(Unreadable, match="one without a name"):
        Format.CSV.reader("identifiers,family,", DOMAIN)


def test_a_mark_before_a_patient_of_fhir_is_no_part_of_it() -> None:
    read = Format.FHIR.reader("", DOMAIN)
    written = json.dumps(fhir_writing.resource(LINE))
    assert read(f"\ufeff{written}") == read(written)


def test_the_mothers_maiden_name_of_fhir_itself_is_read() -> None:
    resource = fhir_writing.resource(LINE)
    url = "http://hl7.org/fhir/StructureDefinition/patient-mothersMaidenName"
    resource["extension"] = [{"url": url, "valueString": "Klein"}]
    found = Format.FHIR.reader("", DOMAIN)(json.dumps(resource))
    assert found.demographics.mothers_maiden_names == (PersonName(family="Klein", type_code="M"),)


@given(booleans())
def test_a_format_is_known_by_the_ending(capital: bool) -> None:
    for name, format in (("a.csv", Format.CSV), ("a.ndjson", Format.FHIR), ("a.b.jsonl", Format.FHIR)):
        assert format_of(Path(name.upper() if capital else name)) is format
    with pytest.raises(ValueError, match="--format"):
        format_of(Path("a.txt"))
