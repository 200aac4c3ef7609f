"""What the matcher sees of one record, normalized once (PID fields: ITI TF-2: Table 3.30-3)."""

from collections.abc import Collection
from dataclasses import dataclass

from pix.folding import fold
from pix.matching import contacts, dates, names, unsaid
from pix.matching.contacts import Place
from pix.matching.names import Surname
from pix.model import Demographics, PersonName

NO_WORDS: frozenset[str] = frozenset()
NO_IDS: frozenset[tuple[str, str]] = frozenset()


@dataclass(frozen=True, slots=True, kw_only=True)
class Subject:
    """One record in comparable parts; what is not known is empty.

    ``givens`` holds what stands for the given names of each name and alias, in order (``unsaid.called``: who is called
    so). ``nationals`` are (authority, id) whose check digits are right, ``identifiers`` those that nobody can check
    (PID-19). ``placeholder`` says that the given name is none (``Baby``), ``unknown`` that the source knows that it
    does not know the patient (PID-31, or ``Inconnu``).
    """

    surnames: tuple[Surname, ...] = ()
    family_words: frozenset[str] = NO_WORDS
    givens: tuple[tuple[str, ...], ...] = ()
    placeholder: bool = False
    unknown: bool = False
    birth: str = ""
    sex: str = ""
    birth_order: str = ""
    nationals: frozenset[tuple[str, str]] = NO_IDS
    identifiers: frozenset[str] = NO_WORDS
    mothers: frozenset[str] = NO_WORDS
    birth_place: str = ""
    places: tuple[Place, ...] = ()
    phones: frozenset[str] = NO_WORDS
    emails: frozenset[str] = NO_WORDS


def subject(demographics: Demographics, nationals: Collection[tuple[str, str]] = ()) -> Subject:
    """Normalize one record; ``nationals`` are its (authority OID, id) with right check digits."""
    said = demographics.names + demographics.aliases if demographics.aliases else demographics.names
    families = names.surnames(said)
    givens = _givens(said)
    telecoms = (demographics.home_phones + demographics.business_phones)[: contacts.MOST]
    return Subject(
        surnames=families,
        family_words=families[0].words if len(families) == 1 else NO_WORDS.union(*(each.words for each in families)),
        givens=givens,
        placeholder=not unsaid.called(givens) and any(unsaid.says_nobody(each.given) for each in said),
        unknown=demographics.identity_unknown == "Y"
        or (bool(families) and all([unsaid.names_nobody(each.words) for each in families])),
        birth=dates.day(demographics.birth_time),
        sex=demographics.sex if demographics.sex in ("F", "M") else "",
        birth_order=demographics.birth_order or "",
        nationals=frozenset(nationals),
        identifiers=frozenset((fold(demographics.ssn).replace(" ", ""),)) if demographics.ssn else NO_WORDS,
        mothers=_mothers(demographics),
        birth_place=fold(demographics.birth_place) if demographics.birth_place else "",
        places=tuple(filter(None, map(contacts.place, demographics.addresses[: contacts.MOST]))),
        phones=frozenset(filter(None, map(contacts.phone, telecoms))),
        emails=frozenset(filter(None, map(contacts.email, telecoms))),
    )


def _givens(said: tuple[PersonName, ...]) -> tuple[tuple[str, ...], ...]:
    found = [names.given_words(each.given, each.further_given) for each in said if each.given]
    return tuple(dict.fromkeys(filter(None, found)))[: names.MOST_NAMES]


def _mothers(demographics: Demographics) -> frozenset[str]:
    if not demographics.mothers_maiden_names:
        return NO_WORDS
    return NO_WORDS.union(*(each.words for each in names.surnames(demographics.mothers_maiden_names)))
