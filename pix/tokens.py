"""What finds a record: folded words of its names, address, telephone and account numbers (ITI TF-2: 3.21.4.1.2.3)."""

from collections.abc import Iterable, Mapping
from enum import StrEnum
from functools import lru_cache

from ihe.datatypes import CX
from pix.folding import name_words, words
from pix.matching.phonetics import skeleton
from pix.model import Address, Demographics, PersonName, Telecom
from pix.pairs import woven
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
    """A family and a given name (``pix.pairs``): Schmits there are many, and Maries, few of them are Marie Schmit."""
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


STRONG = frozenset(
    {
        Kind.FAMILY,
        Kind.GIVEN,
        Kind.FAMILY_SOUND,
        Kind.GIVEN_SOUND,
        Kind.MOTHERS_FAMILY,
        Kind.STREET,
        Kind.POSTAL_CODE,
        Kind.PHONE,
        Kind.EMAIL,
        Kind.ACCOUNT,
    }
)
"""Kinds of words that are worth a search by themselves."""
DRIVING = STRONG | {Kind.CITY, Kind.PAIR}
"""Kinds that a search may be read by; words of the others only narrow."""
MARKS: Mapping[str, str] = {Kind.CITY: "@", Kind.POSTAL_CODE: "#"}
"""How words that are no names are told apart where they stand beside a name, or beside a pair of names."""


Token = tuple[str, str, str, str]
"""Kind and word; what is beside it, as `` anna maria @esch #4010 `` beside a family name; and the day of birth."""


@Last
def tokens(person: Demographics) -> frozenset[Token]:
    """Every token of a patient."""
    places = [each for address in person.addresses for each in _address_tokens(address)]
    towns = frozenset([MARKS[kind] + word for kind, word, *_ in places if kind in MARKS])
    found = [*places, *_name_tokens(person, towns)]
    for name in person.mothers_maiden_names:
        found += _texts(Kind.MOTHERS_FAMILY, _family_words(name))
        found += _texts(Kind.MOTHERS_GIVEN, _given_words(name))
    for phone in (*person.home_phones, *person.business_phones):
        found += _phone_tokens(phone)
    for account in person.accounts:
        found += _texts(Kind.ACCOUNT, account_texts(account))
    return frozenset(found)


def account_texts(account: CX) -> tuple[str, ...]:
    """An account number alone, and with each name of its authority; it is searched for by any of them."""
    authorities = (account.authority.namespace_id, account.authority.universal_id)
    return (account.id, *(f"{account.id}|{each}" for each in authorities if each))


def _name_tokens(person: Demographics, towns: frozenset[str]) -> list[Token]:
    names, born = (*person.names, *person.aliases), (person.birth_time or "")[:8]
    family = NO_WORDS.union(*map(_family_words, names))
    given = NO_WORDS.union(*map(_given_words, names))
    family_sounds, given_sounds = frozenset(map(skeleton, family)), frozenset(map(skeleton, given))
    return [
        *_tokens(Kind.FAMILY, family, given | towns, born),
        *_tokens(Kind.GIVEN, given, family | towns, born),
        *_tokens(Kind.FAMILY_SOUND, family_sounds, given_sounds | towns, born),
        *_tokens(Kind.GIVEN_SOUND, given_sounds, family_sounds | towns, born),
        *_pair_tokens(family, given, towns, born),
    ]


def _pair_tokens(family: frozenset[str], given: frozenset[str], towns: frozenset[str], born: str) -> list[Token]:
    if len(family) * len(given) > PAIRS:
        return [(str(Kind.PAIR), MANY, "", born)]
    return _tokens(Kind.PAIR, [woven(one, other) for one in family for other in given], towns, born)


def _tokens(kind: Kind, these: Iterable[str], others: Iterable[str], born: str) -> list[Token]:
    line, name = f" {' '.join(sorted(others))} ", str(kind)
    beside = line if len(line) <= LONGEST else ""
    return [(name, word, beside, born) for word in these]


def _phone_tokens(phone: Telecom) -> list[Token]:
    number = number_of(phone)
    numbers = _texts(Kind.PHONE, (number,)) if number else []
    return numbers + _texts(Kind.EMAIL, (phone.email.strip().casefold(),)) if phone.email else numbers


def _family_words(name: PersonName) -> frozenset[str]:
    if not (name.own_family or name.partner_family):
        return name_words(name.family)
    return NO_WORDS.union(*map(name_words, (name.family, name.own_family, name.partner_family)))


def _given_words(name: PersonName) -> frozenset[str]:
    return name_words(name.given) | name_words(name.further_given) if name.further_given else name_words(name.given)


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
    name = str(kind)
    return [(name, word, "", "") for word in found]
