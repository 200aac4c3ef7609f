"""What a change would work out while others wait for it, worked out beforehand: all that a patient makes.

Nothing in it depends on the index, so that it is true of any record that nobody knew. It is made of texts, numbers,
tuples and sets alone, which go from one process to another without delay.
"""

from typing import Any, NamedTuple

from ihe.domain import AffinityDomain
from pix import matricule
from pix.claims import own_identifiers
from pix.matching.blocking import lookup_keys, stored_keys
from pix.matching.contacts import Place
from pix.matching.names import Surname
from pix.matching.subject import Subject
from pix.model import Feed, Identifier, IdentifierList
from pix.registration import remarks
from pix.snapshot import from_json, to_json, written
from pix.state import NationalId, linking_ids
from pix.store_blocking import seen_with
from pix.store_records import described_as
from pix.tokens import tokens
from pix.wordlists import driving, wordlist

Named = tuple[str, str, str]
"""Authority (OID), id and type code (CX.5)."""
is_national_id = matricule.is_valid
"""The rule by which ids were judged; an index with another one cannot use what was worked out."""


class Rendering(NamedTuple):
    """One patient as JSON, as rows, as the matcher sees it, and by what it is found.

    ``own`` are the ids that are records of their own, ``nationals`` the rows of national ids, ``linking`` those of
    them that may link. ``columns`` are family, given, birth and sex of the record; ``subject`` is what ``subject_of``
    reads, ``lookup`` the blocking keys that are looked up and not stored; ``announced`` and ``national`` are the JSON
    of the event up to what the index alone knows, and of its national ids. ``remarks`` are (remark, authority, id).
    """

    identifiers: tuple[Named, ...]
    own: tuple[Named, ...]
    nationals: tuple[tuple[str, str, str, bool], ...]
    linking: frozenset[tuple[str, str]]
    complete: bool
    text: str
    columns: tuple[str, str, str | None, str | None]
    subject: tuple[Any, ...]
    stored: tuple[int, ...]
    lookup: tuple[int, ...]
    tokens: tuple[tuple[str, str, str, str], ...]
    words: str
    announced: str
    national: str
    remarks: tuple[Named, ...]

    def feed(self, domain: AffinityDomain) -> Feed:
        """The patient as a feed, for a record that is known, or one of several."""
        listed = IdentifierList.COMPLETE if self.complete else IdentifierList.PARTIAL
        known = {each.oid: each for each in domain.assigning_authorities}
        return Feed(
            identifiers=tuple(
                Identifier(authority=known[oid], id=id, type_code=code) for oid, id, code in self.identifiers
            ),
            demographics=from_json(self.text),
            identifier_list=listed,
        )


def render(feed: Feed) -> Rendering:
    """What ``feed`` says of a patient whom nobody knew, in all forms in which it is stored."""
    said, nationals, own = feed.demographics, _nationals(feed), own_identifiers(feed.identifiers)
    linking = linking_ids(nationals)
    seen = seen_with(said, linking)
    stored = stored_keys(seen)
    return Rendering(
        identifiers=tuple(map(_named, feed.identifiers)),
        own=tuple(map(_named, own)),
        nationals=tuple((each.authority, each.id, each.type_code, each.valid) for each in nationals),
        linking=linking,
        complete=feed.identifier_list is IdentifierList.COMPLETE,
        text=to_json(said),
        columns=described_as(said),
        subject=plain_subject(seen),
        stored=tuple(sorted(stored)),
        lookup=tuple(sorted(lookup_keys(seen) - stored)),
        tokens=tuple(sorted(driving(tokens(said)))),
        words=wordlist(said),
        announced=_announced(own[0], feed.sent),
        national=written([each.plain for each in nationals]),
        remarks=tuple((remark, each.authority, each.id) for remark, each in remarks(nationals, said.birth_time)),
    )


def subject_of(plain: tuple[Any, ...]) -> Subject:
    """The record as the matcher sees it."""
    surnames, words, givens, placeholder, unknown, birth, sex, order, nationals, ids, mothers, place, *rest = plain
    places, phones, emails = rest
    return Subject(
        surnames=tuple(map(Surname._make, surnames)),
        family_words=words,
        givens=givens,
        placeholder=placeholder,
        unknown=unknown,
        birth=birth,
        sex=sex,
        birth_order=order,
        nationals=nationals,
        identifiers=ids,
        mothers=mothers,
        birth_place=place,
        places=tuple(map(Place._make, places)),
        phones=phones,
        emails=emails,
    )


def plain_subject(seen: Subject) -> tuple[Any, ...]:
    """What ``subject_of`` reads."""
    return (
        tuple(map(tuple, seen.surnames)),
        seen.family_words,
        seen.givens,
        seen.placeholder,
        seen.unknown,
        seen.birth,
        seen.sex,
        seen.birth_order,
        seen.nationals,
        seen.identifiers,
        seen.mothers,
        seen.birth_place,
        tuple(map(tuple, seen.places)),
        seen.phones,
        seen.emails,
    )


def _named(each: Identifier) -> Named:
    return (each.authority.oid, each.id, each.type_code)


def _nationals(feed: Feed) -> tuple[NationalId, ...]:
    listed = [each for each in dict.fromkeys(feed.identifiers) if each.authority.national]
    return tuple(
        NationalId(authority=each.authority.oid, id=each.id, type_code=each.type_code, valid=is_national_id(each.id))
        for each in listed
    )


def _announced(own: Identifier, sent: str) -> str:
    """The JSON of ``Announced`` as far as its field ``alone``."""
    told = {"authority": own.authority.oid, "id": own.id, "type_code": own.type_code, "sent": sent}
    return written(told).removesuffix("}")
