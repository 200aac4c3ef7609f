"""Demographics query: criteria to SQL over tokens and columns (ITI TF-2: 3.21.4.1.3.2; how fast: design decision 9)."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, Connection, Select, and_, exists, intersect, or_, select

from ihe.citations import tf2
from ihe.errors import Breach, HL7ErrorCode, Rejected
from ihe.identifiers import PatientKey
from pix.folding import digits, fold
from pix.queries import Criteria, IdentifierPattern
from pix.store_tokens import Kind, account_texts
from pix.tables import ACTIVE, link, national, record, token

LISTED = 1000
"""Most persons that one query lists; what lies beyond is reported as truncated."""
PREFIX = 2
"""Fewest characters before ``*`` by which the index is searched; shorter ones only narrow what others have found."""
LAST = "\U0010ffff"
STRONG = frozenset(
    {Kind.FAMILY, Kind.GIVEN, Kind.MOTHERS_FAMILY, Kind.STREET, Kind.POSTAL_CODE, Kind.PHONE, Kind.EMAIL, Kind.ACCOUNT}
)
"""Kinds of words that are worth a search by themselves."""


SHOWN = (
    record.c.key,
    record.c.authority,
    record.c.id,
    record.c.family,
    record.c.given,
    record.c.birth,
    record.c.updated,
)


@dataclass(frozen=True, slots=True)
class Word:
    """One word to find, perhaps with ``*`` in it."""

    kind: Kind
    pattern: str

    @property
    def prefix(self) -> str:
        """What stands before the first ``*``."""
        return self.pattern.partition("*")[0]

    @property
    def is_selective(self) -> bool:
        """Claim that enough stands before the first ``*`` for a range of the index."""
        return "*" not in self.pattern or len(self.prefix) >= PREFIX

    @property
    def is_strong(self) -> bool:
        """Claim that the index finds few enough records by this word."""
        return self.kind in STRONG and self.is_selective

    @property
    def condition(self) -> ColumnElement[bool]:
        """The tokens that this word stands for."""
        of_kind = token.c.kind == self.kind.value
        return and_(of_kind, *_matches(token.c.value, self.pattern))


def matching(connection: Connection, alternatives: Iterable[Criteria]) -> tuple[list[PatientKey], bool]:
    """The record that represents each matching person, ordered by name, and whether there were more than listed."""
    alternatives = tuple(alternatives)
    lists = [connection.execute(_search(criteria)).all() for criteria in alternatives]
    asked = {(each.authority.oid, each.id) for one in alternatives for each in one.identifiers if each.authority}
    # A person is shown as the record with the id asked for says, or else as the record that was fed last.
    found = sorted(
        (row for each in lists for row in each), key=lambda row: ((row.authority, row.id) in asked, row.updated)
    )
    persons = {row.person: row for row in found}
    ordered = sorted(persons.values(), key=lambda row: (row.family, row.given, row.birth or "", row.key))
    truncated = len(persons) > LISTED or any(len(each) > LISTED for each in lists)
    return [PatientKey(row.key) for row in ordered[:LISTED]], truncated


def _search(criteria: Criteria) -> Select[Any]:
    words = tuple(dict.fromkeys(_words(criteria)))
    searched = [each for each in words if each.is_strong]
    sources = [*_word_searches(searched), *_birth_search(criteria), *_identifier_searches(criteria)]
    if not sources:
        # A town may be searched for by itself; beside anything better it only narrows.
        searched = [each for each in words if each.kind is Kind.CITY and each.is_selective]
        sources = list(_word_searches(searched))
    if not sources:
        raise Rejected(_too_broad())
    filters = [each for each in words if each not in searched]
    candidates = sources[0].subquery() if len(sources) == 1 else intersect(*sources).subquery()
    return (
        select(link.c.person, *SHOWN)
        .select_from(candidates.join(record, record.c.key == candidates.c[0]))
        .join(link, and_(link.c.record == record.c.key, ACTIVE))
        .where(record.c.survivor.is_(None), *_filters(filters, criteria))
        .order_by(record.c.key)
        .limit(LISTED + 1)
    )


def _words(criteria: Criteria) -> Iterator[Word]:
    texts = (
        *((Kind.FAMILY, each) for each in criteria.family),
        *((Kind.GIVEN, each) for each in criteria.given),
        (Kind.MOTHERS_FAMILY, criteria.mothers_family),
        (Kind.MOTHERS_GIVEN, criteria.mothers_given),
        (Kind.STREET, criteria.street),
        (Kind.CITY, criteria.city),
        (Kind.STATE, criteria.state),
        (Kind.POSTAL_CODE, criteria.postal_code),
        (Kind.COUNTRY, criteria.country),
    )
    for kind, text in texts:
        yield from (Word(kind, word) for word in fold(text or "").split() if word.strip("*"))
    if criteria.phone:
        yield Word(Kind.PHONE, "*" + digits(criteria.phone) if criteria.phone[0] == "*" else digits(criteria.phone))
    if criteria.email:
        yield Word(Kind.EMAIL, criteria.email.strip().casefold())
    yield from (Word(Kind.ACCOUNT, account_texts(each)[-1]) for each in criteria.accounts)


def _word_searches(words: Iterable[Word]) -> Iterator[Select[tuple[int]]]:
    return (select(token.c.record).where(word.condition) for word in words)


def _birth_search(criteria: Criteria) -> Iterator[Select[tuple[int]]]:
    """Records born in the range, and those of whom less is known than is asked, if that may be in it."""
    if criteria.birth is not None:
        low, high = criteria.birth[0][:8], criteria.birth[1][:8]
        vague = [low[:length] for length in (4, 6) if length < len(low)]
        born = and_(*_between(record.c.birth, low, high))
        yield select(record.c.key).where(or_(born, record.c.birth.in_(vague)) if vague else born)


def _identifier_searches(criteria: Criteria) -> Iterator[Select[tuple[int]]]:
    """Every record of the persons that have the id, whichever of their sources it comes from."""
    linked = link.alias()
    for pattern in criteria.identifiers:
        if "*" in pattern.id and len(pattern.id.partition("*")[0]) < PREFIX:
            raise Rejected(_too_broad())
        persons = select(link.c.person).where(link.c.record.in_(_carrying(pattern)), ACTIVE)
        yield select(linked.c.record).where(linked.c.person.in_(persons), linked.c.ended_by.is_(None))


def _carrying(pattern: IdentifierPattern) -> Select[tuple[int]]:
    own, attached = _matches(record.c.id, pattern.id), _matches(national.c.id, pattern.id)
    if pattern.authority is not None:
        own.append(record.c.authority == pattern.authority.oid)
        attached.append(national.c.authority == pattern.authority.oid)
    both = select(record.c.key).where(*own).union_all(select(national.c.record).where(*attached)).subquery()
    return select(both.c[0])


def _filters(words: Iterable[Word], criteria: Criteria) -> Iterator[ColumnElement[bool]]:
    if criteria.sex is not None:
        yield record.c.sex == criteria.sex
    for word in words:
        yield exists().where(token.c.record == record.c.key, word.condition)


def _matches(column: ColumnElement[str], pattern: str) -> list[ColumnElement[bool]]:
    """Equality, or a range that the index serves, and LIKE where ``*`` is not only at the end."""
    prefix, star, rest = pattern.partition("*")
    if not star:
        return [column == pattern]
    conditions = _between(column, prefix, prefix) if prefix else []
    if rest.strip("*"):
        like = "%".join(
            part.replace("\\", r"\\").replace("%", r"\%").replace("_", r"\_") for part in pattern.split("*")
        )
        conditions.append(column.like(like, escape="\\"))
    return conditions


def _between(column: ColumnElement[Any], low: str, high: str) -> list[ColumnElement[bool]]:
    """From ``low`` to everything that begins with ``high``; not BETWEEN, which PostgreSQL cannot read with COLLATE."""
    return [column >= low, column <= high + LAST]


def _too_broad() -> Breach:
    return Breach(
        code=HL7ErrorCode.REQUIRED_FIELD_MISSING,
        text="The query would list everybody",
        location="QPD^1^3",
        citation=tf2("3.21.4.1.2.3"),
        remedy=(
            f"Give an identifier, a name or address of which at least {PREFIX} characters stand before *,"
            " a date of birth, a telephone or an account number"
        ),
    )
