"""What finds a record: folded words of its names, address, telephone and account numbers, over ``pix.tables``."""

from collections.abc import Iterator
from enum import StrEnum

from sqlalchemy import Connection, bindparam, delete, insert

from ihe.datatypes import CX
from ihe.identifiers import PatientKey
from pix.folding import digits, name_words, words
from pix.model import Demographics, PersonName, Telecom
from pix.prepared import Prepared
from pix.tables import token

INSERT = Prepared(insert(token), token.columns)
DELETE = Prepared(
    delete(token).where(
        token.c.record == bindparam("this"), token.c.kind == bindparam("of"), token.c.value == bindparam("word")
    )
)
DELETE_ALL = Prepared(delete(token).where(token.c.record == bindparam("this")))
Token = tuple[str, str]


class Kind(StrEnum):
    """What a token is a word of."""

    FAMILY = "family"
    GIVEN = "given"
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


def replace_tokens(connection: Connection, key: PatientKey, before: Demographics, after: Demographics) -> None:
    """Write the difference between what found the record before and what finds it now."""
    if before == after:
        return
    old, new = set(tokens(before)), set(tokens(after))
    DELETE.run_all(connection, [{"this": key, "of": kind, "word": text} for kind, text in sorted(old - new)])
    INSERT.run_all(connection, [{"record": key, "kind": kind, "value": text} for kind, text in sorted(new - old)])


def remove_tokens(connection: Connection, key: PatientKey) -> None:
    """Let nothing find a record any more."""
    DELETE_ALL.run(connection, {"this": key})


def tokens(person: Demographics) -> Iterator[Token]:
    """Every token of a patient, some of them more than once."""
    yield from _name_tokens((*person.names, *person.aliases), Kind.FAMILY, Kind.GIVEN)
    yield from _name_tokens(person.mothers_maiden_names, Kind.MOTHERS_FAMILY, Kind.MOTHERS_GIVEN)
    yield from _address_tokens(person)
    for phone in (*person.home_phones, *person.business_phones):
        if number := phone_digits(phone):
            yield Kind.PHONE, number
        if phone.email:
            yield Kind.EMAIL, phone.email.strip().casefold()
    for account in person.accounts:
        for text in account_texts(account):
            yield Kind.ACCOUNT, text


def phone_digits(phone: Telecom) -> str:
    """The number's digits, however it was written."""
    return digits(phone.number) or digits(phone.country_code + phone.area_code + phone.local_number)


def account_texts(account: CX) -> tuple[str, ...]:
    """An account number alone, and with each name of its authority; it is searched for by any of them."""
    authorities = (account.authority.namespace_id, account.authority.universal_id)
    return (account.id, *(f"{account.id}|{each}" for each in authorities if each))


def _name_tokens(names: tuple[PersonName, ...], family: Kind, given: Kind) -> Iterator[Token]:
    for name in names:
        for text in (name.family, name.own_family, name.partner_family):
            yield from ((family, word) for word in name_words(text))
        for text in (name.given, name.further_given):
            yield from ((given, word) for word in name_words(text))


def _address_tokens(person: Demographics) -> Iterator[Token]:
    for address in person.addresses:
        yield from _texts(Kind.STREET, f"{address.street or address.street_name} {address.house_number}")
        yield from _texts(Kind.CITY, address.city)
        yield from _texts(Kind.STATE, address.state)
        yield from _texts(Kind.POSTAL_CODE, address.postal_code)
        yield from _texts(Kind.COUNTRY, address.country)


def _texts(kind: Kind, text: str) -> Iterator[Token]:
    for word in words(text):
        yield kind, word
