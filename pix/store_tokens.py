"""What finds a record: folded words of its names, address, telephone and account numbers, over ``pix.tables``."""

from collections.abc import Iterator, Mapping
from enum import StrEnum
from typing import NamedTuple

from sqlalchemy import Connection, bindparam, delete, insert

from ihe.datatypes import CX
from ihe.identifiers import PatientKey
from pix.folding import name_words, words
from pix.matching.phonetics import skeleton
from pix.model import Address, Demographics, PersonName
from pix.prepared import Prepared
from pix.tables import token
from pix.telephones import number_of

INSERT = Prepared(insert(token), token.columns)
DELETE = Prepared(
    delete(token).where(
        token.c.record == bindparam("this"), token.c.kind == bindparam("of"), token.c.value == bindparam("word")
    )
)
DELETE_ALL = Prepared(delete(token).where(token.c.record == bindparam("this")))
NO_WORDS: frozenset[str] = frozenset()
LONGEST = 200
"""Characters of names beside a word that the index holds; whoever has longer names is looked up name by name."""

PAIRS = 60
"""Most pairs of a family and a given name of one record; whoever has more names has one token, MANY, for all."""
MANY = ""


class Kind(StrEnum):
    """What a token is a word of."""

    FAMILY = "family"
    GIVEN = "given"
    FAMILY_SOUND = "family-sound"
    GIVEN_SOUND = "given-sound"
    PAIR = "pair"
    """A family name and a given name: Schmits there are many, and Maries, but few of them are Marie Schmit."""
    MOTHERS_FAMILY = "mothers-family"
    MOTHERS_GIVEN = "mothers-given"
    STREET = "street"
    CITY = "city"
    STATE = "state"
    POSTAL_CODE = "postal"
    COUNTRY = "country"
    PHONE = "phone"
    EMAIL = "email"
    ACCOUNT = "account"


MARKS: Mapping[Kind, str] = {Kind.CITY: "@", Kind.POSTAL_CODE: "#"}
"""How words that are no names are told apart where they stand beside a name, or beside a pair of names."""


class Token(NamedTuple):
    """One word; what is beside it, as `` anna maria @esch #4010 `` beside a family name; and the day of birth."""

    kind: Kind
    value: str
    beside: str = ""
    birth: str = ""


def replace_tokens(connection: Connection, key: PatientKey, before: Demographics, after: Demographics) -> None:
    """Write the difference between what found the record before and what finds it now."""
    if before == after:
        return
    old, new = set(tokens(before)), set(tokens(after))
    DELETE.run_all(connection, [{"this": key, "of": each.kind, "word": each.value} for each in sorted(old - new)])
    INSERT.insert(connection, [(kind, value, key, beside, birth) for kind, value, beside, birth in sorted(new - old)])


def remove_tokens(connection: Connection, key: PatientKey) -> None:
    """Let nothing find a record any more."""
    DELETE_ALL.run(connection, {"this": key})


def tokens(person: Demographics) -> Iterator[Token]:
    """Every token of a patient, some of them more than once."""
    places = [each for address in person.addresses for each in _address_tokens(address)]
    yield from _name_tokens(person, frozenset(MARKS[each.kind] + each.value for each in places if each.kind in MARKS))
    for name in person.mothers_maiden_names:
        yield from (Token(Kind.MOTHERS_FAMILY, word) for word in _family_words(name))
        yield from (Token(Kind.MOTHERS_GIVEN, word) for word in _given_words(name))
    yield from places
    for phone in (*person.home_phones, *person.business_phones):
        if number := number_of(phone):
            yield Token(Kind.PHONE, number)
        if phone.email:
            yield Token(Kind.EMAIL, phone.email.strip().casefold())
    for account in person.accounts:
        for text in account_texts(account):
            yield Token(Kind.ACCOUNT, text)


def account_texts(account: CX) -> tuple[str, ...]:
    """An account number alone, and with each name of its authority; it is searched for by any of them."""
    authorities = (account.authority.namespace_id, account.authority.universal_id)
    return (account.id, *(f"{account.id}|{each}" for each in authorities if each))


def _name_tokens(person: Demographics, towns: frozenset[str]) -> Iterator[Token]:
    names, born = (*person.names, *person.aliases), (person.birth_time or "")[:8]
    family = NO_WORDS.union(*map(_family_words, names))
    given = NO_WORDS.union(*map(_given_words, names))
    family_sounds, given_sounds = _sounds(family), _sounds(given)
    yield from _tokens(Kind.FAMILY, family, given | towns, born)
    yield from _tokens(Kind.GIVEN, given, family | towns, born)
    yield from _tokens(Kind.FAMILY_SOUND, family_sounds, given_sounds | towns, born)
    yield from _tokens(Kind.GIVEN_SOUND, given_sounds, family_sounds | towns, born)
    if len(family) * len(given) > PAIRS:
        yield Token(Kind.PAIR, MANY, "", born)
    else:
        yield from _tokens(Kind.PAIR, frozenset(f"{one} {other}" for one in family for other in given), towns, born)


def _tokens(kind: Kind, these: frozenset[str], others: frozenset[str], born: str) -> Iterator[Token]:
    line = f" {' '.join(sorted(others))} "
    beside = line if len(line) <= LONGEST else ""
    return (Token(kind, word, beside, born) for word in these)


def _sounds(folded: frozenset[str]) -> frozenset[str]:
    return frozenset(map(skeleton, folded))


def _family_words(name: PersonName) -> frozenset[str]:
    return NO_WORDS.union(*map(name_words, (name.family, name.own_family, name.partner_family)))


def _given_words(name: PersonName) -> frozenset[str]:
    return name_words(name.given) | name_words(name.further_given)


def _address_tokens(address: Address) -> Iterator[Token]:
    yield from _texts(Kind.STREET, f"{address.street or address.street_name} {address.house_number}")
    yield from _texts(Kind.CITY, address.city)
    yield from _texts(Kind.STATE, address.state)
    yield from _texts(Kind.POSTAL_CODE, address.postal_code)
    yield from _texts(Kind.COUNTRY, address.country)


def _texts(kind: Kind, text: str) -> list[Token]:
    return [Token(kind, word) for word in words(text)]
