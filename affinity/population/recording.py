"""How one source writes one person down: names as it is used to, what it does not know left out, slips made."""

from random import Random

from affinity.population.chance import pick
from affinity.population.people import Person
from affinity.population.slips import Draft, slip, without_accents
from affinity.population.sources import Habits, Source
from affinity.population.tags import Tag
from pix.model import Address, Demographics, PersonName

AGAIN = 0.25
"""One slip is followed by another so often."""
UNNAMED = 0.3
"""Of children under two, so many are still known at a hospital as they were in the delivery room."""
PLACEHOLDERS = {"F": ("Bébé", "Bébé Fille", "Fille", "Baby", "Mädchen"), "M": ("Bébé", "Bébé Garçon", "Garçon", "Bub")}
TWIN_PLACEHOLDERS = {
    "F": ("Jumelle {}", "Bébé {}", "Zwilling {}"),
    "M": ("Jumeau {}", "Bébé {}", "Zwilling {}"),
}


def describe(person: Person, source: Source, chance: Random) -> Draft:
    """A record of the person at this source, with every tag of what was done."""
    draft = _true(person, chance)
    habits = source.habits
    if source.is_hospital and person.is_infant and chance.random() < UNNAMED:
        _leave_unnamed(draft, person, chance)
    elif person.married_family and chance.random() < habits.married_name:
        _marry(draft, person, chance)
    _forget(draft, person, habits, chance)
    threshold = habits.slips
    while chance.random() < threshold:
        slip(draft, chance)
        threshold = AGAIN
    if habits.writes_capitals:
        _capitalize(draft)
    return draft


def demographics(draft: Draft, person: Person) -> Demographics:
    """The record as the index takes it."""
    names = [_name(draft.family, draft.given, draft.further_given, "L")]
    if draft.maiden:
        names.append(_name(draft.maiden, draft.given, "", "M"))
    mother = person.mothers_family
    return Demographics(
        names=tuple(names),
        mothers_maiden_names=(_name(mother, person.mothers_given, "", "M"),) if mother else (),
        birth_time=draft.birth or None,
        sex=draft.sex,
        addresses=draft.addresses,
        home_phones=tuple(each for each in (draft.landline, draft.mobile) if each),
        multiple_birth="Y" if person.birth_order else None,
        birth_order=str(person.birth_order) if person.birth_order else None,
        death_time=f"{person.death:%Y%m%d}" if person.death else None,
        death_indicator="Y" if person.death else None,
    )


def _true(person: Person, chance: Random) -> Draft:
    day = person.birth
    return Draft(
        family=person.family,
        given=person.given,
        further_given=person.further_given if chance.random() < 0.5 else "",
        maiden="",
        birth=f"{day.year:04d}{day.month:02d}{day.day:02d}",
        sex=person.sex,
        matricule=person.matricule,
        addresses=(person.address,),
        landline=person.landline,
        mobile=person.mobile,
        tags=set(person.tags),
    )


def _leave_unnamed(draft: Draft, person: Person, chance: Random) -> None:
    """In the delivery room a child has its mother's name, and no number."""
    draft.family, draft.further_given, draft.matricule = person.mothers_family, "", ""
    if person.birth_order:
        form = pick(chance, TWIN_PLACEHOLDERS[person.sex])
        draft.given = form.format("AB"[person.birth_order - 1] if chance.random() < 0.7 else person.birth_order)
    else:
        draft.given = pick(chance, PLACEHOLDERS[person.sex])
    draft.tags.add(Tag.PLACEHOLDER)


def _marry(draft: Draft, person: Person, chance: Random) -> None:
    """Her husband's name, alone or with her own; some keep what she was born as beside it."""
    drawn = chance.random()
    if drawn < 0.5:
        draft.family = person.married_family
        draft.maiden = person.family if chance.random() < 0.5 else ""
        draft.tags.add(Tag.MARRIED_NAME)
    else:
        first, second = (
            (person.married_family, person.family) if drawn < 0.8 else (person.family, person.married_family)
        )
        draft.family = f"{first}-{second}" if chance.random() < 0.7 else f"{first} {second}"
        draft.tags.add(Tag.DOUBLE_NAME)


def _forget(draft: Draft, person: Person, habits: Habits, chance: Random) -> None:
    if draft.matricule and chance.random() >= habits.matricule:
        draft.matricule = ""
    if person.matricule and not draft.matricule:
        draft.tags.add(Tag.NO_MATRICULE)
    if chance.random() >= habits.address:
        draft.addresses = ()
        draft.tags.add(Tag.NO_ADDRESS)
    else:
        _write_address(draft, person, chance)
    known = chance.random() < habits.phone
    draft.landline = draft.landline if known and chance.random() < 0.7 else None
    draft.mobile = draft.mobile if known else None
    if (person.landline or person.mobile) and not (draft.landline or draft.mobile):
        draft.tags.add(Tag.NO_PHONE)


def _write_address(draft: Draft, person: Person, chance: Random) -> None:
    if person.former_address and chance.random() < 0.35:
        draft.addresses = (person.former_address,)
        draft.tags.add(Tag.FORMER_ADDRESS)
    if person.second_address and chance.random() < 0.5:
        draft.addresses = (person.second_address, *draft.addresses)
        draft.tags.add(Tag.TWO_ADDRESSES)


def _capitalize(draft: Draft) -> None:
    """As older laboratory systems do: upper case, and no accents."""
    plain = (without_accents(draft.family), without_accents(draft.given))
    if plain != (draft.family, draft.given):
        draft.tags.add(Tag.ACCENTS_LOST)
    draft.family, draft.given = plain[0].upper(), plain[1].upper()
    draft.maiden = without_accents(draft.maiden).upper()
    draft.addresses = tuple(_in_capitals(each) for each in draft.addresses)
    draft.tags.add(Tag.CAPITALS)


def _in_capitals(address: Address) -> Address:
    return Address(
        street=without_accents(address.street).upper(),
        city=without_accents(address.city).upper(),
        postal_code=address.postal_code,
        country=address.country,
        type_code=address.type_code,
    )


def _name(family: str, given: str, further_given: str, type_code: str) -> PersonName:
    return PersonName(family=family, given=given, further_given=further_given, type_code=type_code)
