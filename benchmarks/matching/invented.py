"""Records whose truth is known: an invented population of Luxembourg (``affinity demo population``)."""

from affinity.population import PopulationRecord, Tag, records
from benchmarks.matching.datasets import Entry
from pix.folding import fold
from pix.matching.subject import subject
from pix.model import Address


def population(persons: int, seed: int) -> list[Entry]:
    """The records of an invented Luxembourg population, in the order in which they are fed."""
    return [_invented(each) for each in records(persons, seed)]


def relatives(persons: int, seed: int) -> list[Entry]:
    """Of such a population only the households with twins, or with a parent and a child of one name."""
    found = list(records(persons, seed))
    doubles = {each.household for each in found if each.tags & {Tag.TWIN, Tag.NAMESAKE}}
    return [_invented(each) for each in found if each.household in doubles]


def _invented(record: PopulationRecord) -> Entry:
    known = record.demographics
    name, home = known.names[0], known.addresses[0] if known.addresses else Address()
    row = {
        "given_name": fold(name.given),
        "surname": fold(name.family),
        "date_of_birth": known.birth_time or "",
        "sex": known.sex or "",
        "street": fold(home.street),
        "suburb": fold(home.city),
        "postcode": home.postal_code,
        "phone": known.home_phones[0].number if known.home_phones else "",
        "identifier": record.nationals[0][1] if record.nationals else "",
    }
    tags = frozenset(each.value for each in record.tags)
    return Entry(person=str(record.person), row=row, subject=subject(known, record.nationals), tags=tags)
