"""Patients as CSV: one table of columns, read in both directions. A field holds no line break."""

import csv
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from operator import attrgetter
from typing import Any

from affinity.bulk.line import PatientLine, Unreadable, read_identifiers, write_identifiers
from ihe.domain import AffinityDomain
from pix.model import Address, Coded, Demographics, PersonName, Telecom

SOURCE, IDENTIFIERS = "source", "identifiers"
BREAKS = str.maketrans("\r\n\x00", "   ")
NAME = {
    "family": "family",
    "given": "given",
    "further_given": "further_given",
    "prefix": "prefix",
    "suffix": "suffix",
    "degree": "degree",
    "name_type": "type_code",
    "own_family_prefix": "own_family_prefix",
    "own_family": "own_family",
    "partner_family_prefix": "partner_family_prefix",
    "partner_family": "partner_family",
}
ADDRESS = {
    "street": "street",
    "house_number": "house_number",
    "other_designation": "other_designation",
    "city": "city",
    "postal_code": "postal_code",
    "state": "state",
    "county": "county",
    "country": "country",
    "address_type": "type_code",
}
TELECOM = {"phone": "number", "phone_use": "use", "phone_equipment": "equipment", "email": "email"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Values:
    """A repeated attribute of Demographics: its type, how many of it a line carries, and the columns of each."""

    attribute: str
    kind: Callable[..., Any]
    most: int
    fields: Mapping[str, str]
    prefix: str = ""


REPEATED = (
    Values(attribute="names", kind=PersonName, most=2, fields=NAME),
    Values(attribute="aliases", kind=PersonName, most=1, fields=NAME, prefix="alias_"),
    Values(attribute="mothers_maiden_names", kind=PersonName, most=1, fields=NAME, prefix="mother_"),
    Values(attribute="addresses", kind=Address, most=2, fields=ADDRESS),
    Values(attribute="home_phones", kind=Telecom, most=3, fields=TELECOM),
    Values(attribute="business_phones", kind=Telecom, most=1, fields=TELECOM, prefix="business_"),
    Values(attribute="languages", kind=Coded, most=1, fields={"language": "code"}),
    Values(attribute="citizenships", kind=Coded, most=1, fields={"citizenship": "code"}),
)
"""The second one of a kind has the columns of the first with ``_2`` behind their names."""
CODED = ("marital_status", "nationality", "religion")
TEXTS = (
    "birth_time",
    "sex",
    "birth_place",
    "multiple_birth",
    "birth_order",
    "death_time",
    "death_indicator",
    "ssn",
    "identity_unknown",
)


@dataclass(frozen=True, slots=True)
class Cell:
    """Where the text of one column belongs."""

    column: str
    attribute: str
    position: int
    field: str


def _cells() -> Iterator[Cell]:
    for text in TEXTS:
        yield Cell(text, text, 0, "")
    for coded in CODED:
        yield Cell(coded, coded, 0, "code")
    for values in REPEATED:
        for position in range(values.most):
            ending = f"_{position + 1}" if position else ""
            for column, field in values.fields.items():
                yield Cell(f"{values.prefix}{column}{ending}", values.attribute, position, field)


def _getter(values: Values) -> Callable[[Any], tuple[str, ...]]:
    """What takes all the texts of one value; of a single field ``attrgetter`` gives no tuple."""
    fields = tuple(values.fields.values())
    if len(fields) == 1:
        return lambda value: (getattr(value, fields[0]),)
    return attrgetter(*fields)


CELLS: Mapping[str, Cell] = {each.column: each for each in _cells()}
KINDS: Mapping[str, Callable[..., Any]] = {each.attribute: each.kind for each in REPEATED}
COLUMNS = (SOURCE, IDENTIFIERS, *CELLS)


SCALARS = attrgetter(*TEXTS)
GETTERS = tuple((each, _getter(each)) for each in REPEATED)


class _Row:
    """A file that gives back what is written to it."""

    def write(self, text: str) -> str:
        return text


_rows = csv.writer(_Row(), lineterminator="\n")


def header() -> str:
    """The first line of a file."""
    return _write(COLUMNS)


def write(line: PatientLine) -> str:
    """One line of a file, its end included."""
    texts = [line.source, write_identifiers(line.identifiers), *_texts(line.demographics)]
    written = _write(texts)
    if written.count("\n") > 1 or "\r" in written or "\0" in written:
        return _write([text.translate(BREAKS) for text in texts])
    return written


def columns(first: str) -> tuple[str, str]:
    """The delimiter of a file, and its header without byte order mark. Raises Unreadable for columns that are none."""
    text = first.removeprefix("\ufeff")
    delimiter = ";" if ";" in text and "," not in text else ","
    names = _names(text, delimiter)
    unknown = sorted(set(names) - set(COLUMNS))
    if unknown:
        raise Unreadable("columns", f"no such columns: {', '.join(each or '(one without a name)' for each in unknown)}")
    if IDENTIFIERS not in names or len(set(names)) < len(names):
        raise Unreadable("columns", f"the header needs the column {IDENTIFIERS}, and each column once")
    return delimiter, text


def reader(first: str, domain: AffinityDomain) -> Callable[[str], PatientLine]:
    """What reads each further line of a file that begins with ``first``. It, and what is returned, raise Unreadable."""
    delimiter, text = columns(first)
    names = _names(text, delimiter)
    cells = [CELLS.get(name) for name in names]
    at = names.index(IDENTIFIERS)
    source = names.index(SOURCE) if SOURCE in names else None

    def read(line: str) -> PatientLine:
        texts = _read(line, delimiter)
        if len(texts) != len(names):
            raise Unreadable("columns", f"{len(texts)} fields, but the header has {len(names)}")
        return PatientLine(
            source="" if source is None else texts[source].strip(),
            identifiers=read_identifiers(domain, texts[at].strip()),
            demographics=_demographics(cells, texts),
        )

    return read


def _demographics(cells: Sequence[Cell | None], texts: Sequence[str]) -> Demographics:
    parts: dict[tuple[str, int], dict[str, str]] = {}
    known: dict[str, Any] = {}
    for cell, text in zip(cells, texts, strict=True):
        if cell is None or not text or text.isspace():
            continue
        if cell.field:
            parts.setdefault((cell.attribute, cell.position), {})[cell.field] = text.strip()
        else:
            known[cell.attribute] = text.strip()
    for (attribute, _), fields in sorted(parts.items()):
        if attribute in CODED:
            known[attribute] = Coded(**fields)
        else:
            known[attribute] = (*known.get(attribute, ()), KINDS[attribute](**fields))
    return Demographics(**known)


def _texts(known: Demographics) -> Iterator[str]:
    """The texts of all cells, in their order."""
    yield from (text or "" for text in SCALARS(known))
    for attribute in CODED:
        coded = getattr(known, attribute)
        yield coded.code if coded else ""
    for values, fields in GETTERS:
        some = getattr(known, values.attribute)[: values.most]
        for each in some:
            yield from fields(each)
        yield from ("",) * ((values.most - len(some)) * len(values.fields))


def _names(header: str, delimiter: str) -> list[str]:
    return [each.strip() for each in _read(header, delimiter)]


def _read(line: str, delimiter: str) -> list[str]:
    try:
        return next(csv.reader([line], delimiter=delimiter, strict=True))
    except (csv.Error, StopIteration) as error:
        raise Unreadable("syntax", f"no line of CSV: {error or 'it is empty'}") from None


def _write(texts: Sequence[str]) -> str:
    written: str = _rows.writerow(texts)  # what _Row.write gave back
    return written
