"""Whom new records may be: looked for and compared beforehand, by a process that has nothing better to do.

What a scout saw may be old when it is used. Whoever uses it knows what came since (``pix.recent``).
"""

from collections.abc import Iterable, Mapping, Sequence, Set
from functools import lru_cache
from itertools import chain
from typing import NamedTuple

from sqlalchemy import Connection

from ihe.identifiers import PatientKey
from pix import store_cards, store_newcomers
from pix.comparing import Look, Verdict, is_named_apart, looks, remember_seen, told
from pix.matching import dates
from pix.matching.configuration import Configuration, Evidence
from pix.matching.scoring import Comparison, Outcome, compare
from pix.matching.subject import Subject
from pix.rendering import Rendering, plain_subject, subject_of
from pix.store_blocking import CROWDED

Carrier = tuple[PatientKey, bool]
"""A record that carries a national id, and whether its check digits are right."""
Weighed = tuple[
    PatientKey, str, float, tuple[str, ...], tuple[tuple[str, str, float], ...], tuple[tuple[str, float], ...]
]
"""Another record, and the verdict on it: outcome, weight, vetoes, evidence, caps (``pix.matching.scoring``)."""
Seen = tuple[str, frozenset[tuple[str, str]], tuple[object, ...]]
"""What is stored of a record, its national ids that may link, and what ``subject_of`` reads."""
_day = lru_cache(maxsize=2**16)(dates.day)
"""There are not more days on which people were born who are alive."""


class Sighting(NamedTuple):
    """What was found for one new record. Texts, numbers, tuples, lists and sets alone, as in ``Rendering``.

    ``before`` is the next event: all before it was seen. ``sharing``: who has each of its blocking keys, those that are
    stored before those that are looked up; ``carrying``: who carries each of its national ids; ``weighed``: whom of the
    former it may be; ``seen``: how these are seen.
    """

    before: int
    sharing: tuple[Sequence[PatientKey], ...]
    carrying: tuple[Sequence[Carrier], ...]
    weighed: tuple[Weighed, ...]
    seen: tuple[Seen, ...]

    def verdicts(self, configuration: Configuration) -> dict[PatientKey, Verdict]:
        """The verdict on each record that is not kept apart from the new one."""
        return {each[0]: _verdict(each, configuration) for each in self.weighed}

    def remember(self) -> None:
        """Linking will soon look at those whom the new record may be: how they are seen is known already."""
        for text, nationals, plain in self.seen:
            remember_seen(text, nationals, subject_of(plain))


class Scout:
    """Looks for new records in the index as it is in one transaction."""

    def __init__(self, connection: Connection, configuration: Configuration) -> None:
        self._connection = connection
        self._configuration = configuration

    def look(self, some: Sequence[Rendering], before: int = 0) -> list[Sighting]:
        """What the index says of these, asked together.

        ``before`` is the number of its next event where another process will use it; 0: it is used here and now, where
        how the others are seen is remembered already.
        """
        keys = set(chain.from_iterable(chain(each.stored, each.lookup) for each in some))
        sharing = store_newcomers.sharing(self._connection, keys)
        ids = {(of, id) for each in some for of, id, _, _ in each.nationals}
        carrying = store_newcomers.carrying(self._connection, ids)
        births = self._births({key for each in sharing.values() if len(each) <= CROWDED for key in each})
        found = [_Found.of(each, sharing, carrying) for each in some]
        born = [each.born_alike(births) for each in found]
        texts = told(self._connection, set[PatientKey]().union(*born))
        alike = [each.named_alike(keys, texts) for each, keys in zip(found, born, strict=True)]
        seen = looks(self._connection, {key: texts[key] for keys in alike for key in keys})
        weighed = [each.weighed(keys, seen, self._configuration) for each, keys in zip(found, alike, strict=True)]
        return [
            Sighting(before, each.sharing, each.carrying, close, _seen(seen, close) if before else ())
            for each, close in zip(found, weighed, strict=True)
        ]

    def _births(self, keys: set[PatientKey]) -> dict[PatientKey, str]:
        births = store_cards.births(self._connection, keys) if keys else {}
        return {key: _day(birth) for key, birth in births.items()}


class _Found(NamedTuple):
    """A new record, what the matcher sees of it, and who shares something with it."""

    subject: Subject
    sharing: tuple[Sequence[PatientKey], ...]
    carrying: tuple[Sequence[Carrier], ...]

    @classmethod
    def of(
        cls,
        each: Rendering,
        sharing: Mapping[int, Sequence[PatientKey]],
        carrying: Mapping[tuple[str, str], Sequence[Carrier]],
    ) -> "_Found":
        return cls(
            subject_of(each.subject),
            tuple([sharing.get(one, ()) for one in chain(each.stored, each.lookup)]),
            tuple([carrying.get((of, id), ()) for of, id, _, _ in each.nationals]),
        )

    @property
    def known(self) -> set[PatientKey]:
        """Who carries one of its national ids, so that nothing else tells them apart."""
        return {key for some in self.carrying for key, _ in some}

    def born_alike(self, births: Mapping[PatientKey, str]) -> Set[PatientKey]:
        """Whom a birth on another day does not tell from it.

        Who may be identified otherwise is among them in any case (``pix.matching.findings.are_hopeless``).
        """
        met = set(chain.from_iterable([some for some in self.sharing if len(some) <= CROWDED]))
        if self.subject.identifiers:
            return met
        return dates.alike(self.subject.birth, {key: births[key] for key in met}) | (met & self.known)

    def named_alike(self, keys: Iterable[PatientKey], texts: Mapping[PatientKey, str]) -> list[PatientKey]:
        """Those of them whom another given name does not tell from it, either."""
        known = self.known
        return [key for key in keys if key in known or not is_named_apart(self.subject, texts[key])]

    def weighed(
        self, alike: Iterable[PatientKey], looks: Mapping[PatientKey, Look], configuration: Configuration
    ) -> tuple[Weighed, ...]:
        """Those whom it is not kept apart from."""
        compared = [(key, compare(self.subject, looks[key].subject, configuration)) for key in alike]
        return tuple([_weighed(key, each) for key, each in compared if each.outcome is not Outcome.APART])


def _weighed(key: PatientKey, found: Comparison) -> Weighed:
    return (
        key,
        found.outcome.value,
        found.weight,
        found.vetoes,
        tuple([(field, level, bits) for field, level, bits in found.evidence]),
        found.caps,
    )


def _verdict(weighed: Weighed, configuration: Configuration) -> Verdict:
    key, outcome, weight, vetoes, evidence, caps = weighed
    comparison = Comparison(
        outcome=Outcome(outcome),
        weight=weight,
        vetoes=vetoes,
        evidence=tuple(map(Evidence._make, evidence)),
        caps=caps,
        configuration=configuration,
    )
    return Verdict(other=key, comparison=comparison)


def _seen(looks: Mapping[PatientKey, Look], close: Iterable[Weighed]) -> tuple[Seen, ...]:
    some = [looks[key] for key, *_ in close]
    return tuple([(look.text, look.nationals, plain_subject(look.subject)) for look in some])
