"""The records of a synthetic population, in the mixed order in which they would come, and in constant memory."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from itertools import islice
from random import Random

from affinity.population.chance import pick
from affinity.population.households import Society
from affinity.population.people import Person
from affinity.population.recording import demographics, describe
from affinity.population.sources import Source, Sources, demo_sources
from affinity.population.tags import Tag
from pix import matricule
from pix.model import Demographics, Identifier

MIXED = 4096
"""So many records wait, and one of them, any, comes next: the records of one person do not follow one another."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PopulationRecord:
    """What one source says of one patient, and the truth: ``person`` is who it really is, ``tags`` what was done."""

    person: int
    household: int
    source: str
    identifiers: tuple[Identifier, ...]
    demographics: Demographics
    tags: frozenset[Tag]

    @property
    def nationals(self) -> tuple[tuple[str, str], ...]:
        """National ids as (authority, id), those whose check digits are right."""
        return tuple(each.key for each in self.identifiers if each.authority.national and matricule.is_valid(each.id))


def records(persons: int, seed: int, sources: Sources | None = None) -> Iterator[PopulationRecord]:
    """The records of ``persons`` people, about 1.7 of each; the same for the same seed, in every process.

    Without ``sources`` those of the demo domain keep them.
    """
    chance = Random(seed)
    registrar = _Registrar(chance, sources or demo_sources())
    people = (person for household in Society(chance).households() for person in household)
    written = (record for person in islice(people, persons) for record in registrar.records(person))
    return _mixed(chance, written)


def _mixed(chance: Random, written: Iterator[PopulationRecord]) -> Iterator[PopulationRecord]:
    """Shuffle within a window. A number whose holder changed keeps its order: the first holder comes first."""
    waiting: list[PopulationRecord] = []
    for record in written:
        at = _holder(waiting, record) if Tag.OVERLAY in record.tags else None
        if at is None and len(waiting) < MIXED:
            waiting.append(record)
            continue
        if at is None:
            at = int(chance.random() * MIXED)
        yield waiting[at]
        waiting[at] = record
    chance.shuffle(waiting)
    yield from sorted(waiting, key=lambda each: Tag.OVERLAY in each.tags)


def _holder(waiting: list[PopulationRecord], record: PopulationRecord) -> int | None:
    """Where the record waits that has the same number, which has to come before this one."""
    number = record.identifiers[0]
    return next((at for at, each in enumerate(waiting) if each.identifiers[0] == number), None)


class _Registrar:
    """Gives numbers. Of each source it remembers one number given lately, for the next patient who gets a wrong one."""

    def __init__(self, chance: Random, sources: Sources) -> None:
        self._chance = chance
        self._sources = sources
        self._given = {each.name: 0 for each in sources.systems}
        self._lately: dict[str, tuple[Identifier, int]] = {}

    def records(self, person: Person) -> Iterator[PopulationRecord]:
        """Every record of one person; somebody whom no source knows by chance is known to one of them."""
        chance, systems = self._chance, self._sources.systems
        known = [each for each in systems if chance.random() < each.habits.known] or [pick(chance, systems)]
        for source in known:
            record = self._record(person, source)
            yield record
            if chance.random() < source.habits.duplicates:
                again = self._record(person, source)
                yield replace(again, tags=again.tags | {Tag.DUPLICATE})

    def _record(self, person: Person, source: Source) -> PopulationRecord:
        draft = describe(person, source, self._chance)
        number = self._number(person, source)
        identifiers = [number]
        if draft.matricule and self._sources.national:
            identifiers.append(Identifier(authority=self._sources.national, id=draft.matricule, type_code="NI"))
        lately, holder = self._lately.get(source.name, (number, person.number))
        if number is lately and holder != person.number:
            draft.tags.add(Tag.OVERLAY)
        return PopulationRecord(
            person=person.number,
            household=person.household,
            source=source.name,
            identifiers=tuple(identifiers),
            demographics=demographics(draft, person),
            tags=frozenset(draft.tags),
        )

    def _number(self, person: Person, source: Source) -> Identifier:
        """A new number, or by mistake one of somebody else."""
        found = self._lately.get(source.name)
        if found and found[1] != person.number and self._chance.random() < source.habits.overlays:
            return found[0]
        count = self._given[source.name] = self._given[source.name] + 1
        number = Identifier(authority=source.authority, id=f"{count:08d}", type_code="PI")
        if found is None or self._chance.random() < 0.05:
            self._lately[source.name] = (number, person.number)
        return number
