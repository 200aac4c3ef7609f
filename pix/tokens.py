"""What finds a record: folded words of its names, address, telephone and account numbers (ITI TF-2: 3.21.4.1.2.3)."""

from collections.abc import Iterable, Iterator, Mapping
from enum import StrEnum
from functools import lru_cache
from typing import NamedTuple

from ihe.datatypes import CX
from pix.folding import name_words, words
from pix.matching.phonetics import skeleton
from pix.model import Address, Demographics, PersonName
from pix.remembering import Last
from pix.telephones import number_of

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


MARKS: Mapping[str, str] = {Kind.CITY: "@", Kind.POSTAL_CODE: "#"}
"""How words that are no names are told apart where they stand beside a name, or beside a pair of names."""


class Token(NamedTuple):
    """One word; what is beside it, as `` anna maria @esch #4010 `` beside a family name; and the day of birth."""

    kind: str
    value: str
    beside: str = ""
    birth: str = ""


@Last
def tokens(person: Demographics) -> frozenset[Token]:
    """Every token of a patient."""
    return frozenset(_all(person))


def _all(person: Demographics) -> Iterator[Token]:
    places = [each for address in person.addresses for each in _address_tokens(address)]
    yield from _name_tokens(person, frozenset(MARKS[each.kind] + each.value for each in places if each.kind in MARKS))
    for name in person.mothers_maiden_names:
        yield from _texts(Kind.MOTHERS_FAMILY, _family_words(name))
        yield from _texts(Kind.MOTHERS_GIVEN, _given_words(name))
    yield from places
    for phone in (*person.home_phones, *person.business_phones):
        if number := number_of(phone):
            yield Token(Kind.PHONE.value, number)
        if phone.email:
            yield Token(Kind.EMAIL.value, phone.email.strip().casefold())
    for account in person.accounts:
        yield from _texts(Kind.ACCOUNT, account_texts(account))


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
        yield Token(Kind.PAIR.value, MANY, "", born)
    else:
        yield from _tokens(Kind.PAIR, frozenset(f"{one} {other}" for one in family for other in given), towns, born)


def _tokens(kind: Kind, these: Iterable[str], others: Iterable[str], born: str) -> list[Token]:
    line, name = f" {' '.join(sorted(others))} ", kind.value
    beside = line if len(line) <= LONGEST else ""
    return [Token(name, word, beside, born) for word in these]


def _sounds(folded: frozenset[str]) -> frozenset[str]:
    return frozenset(map(skeleton, folded))


def _family_words(name: PersonName) -> frozenset[str]:
    return NO_WORDS.union(*map(name_words, (name.family, name.own_family, name.partner_family)))


def _given_words(name: PersonName) -> frozenset[str]:
    return name_words(name.given) | name_words(name.further_given)


@lru_cache(maxsize=8192)
def _address_tokens(address: Address) -> tuple[Token, ...]:
    return (
        *_texts(Kind.STREET, words(f"{address.street or address.street_name} {address.house_number}")),
        *_texts(Kind.CITY, words(address.city)),
        *_texts(Kind.STATE, words(address.state)),
        *_texts(Kind.POSTAL_CODE, words(address.postal_code)),
        *_texts(Kind.COUNTRY, words(address.country)),
    )


def _texts(kind: Kind, found: Iterable[str]) -> list[Token]:
    name = kind.value
    return [Token(name, word) for word in found]
