"""Whom new records meet: those that share blocking keys or national ids, of the index and of the same batch."""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import chain

from ihe.identifiers import PatientKey
from pix.comparing import Verdict, worth_keeping
from pix.matching.configuration import Configuration
from pix.matching.findings import are_hopeless
from pix.matching.scoring import compare
from pix.matching.subject import Subject
from pix.recent import Known, Recent
from pix.rendering import Rendering
from pix.scouting import Carrier, Sighting
from pix.store_blocking import CROWDED, MOST

NO_VERDICTS: frozenset[PatientKey] = frozenset()


@dataclass(frozen=True, slots=True)
class Met:
    """The verdicts on a new record, and who carries one of its national ids, with right check digits or not."""

    verdicts: tuple[Verdict, ...]
    carrying: frozenset[PatientKey]
    carrying_rightly: frozenset[PatientKey]

    @property
    def is_nobody(self) -> bool:
        """Claim that nothing connects the record with others."""
        return not self.verdicts and not self.carrying

    @property
    def connected(self) -> set[PatientKey]:
        """The records that it may be linked with."""
        return {*self.carrying_rightly, *(each.other for each in self.verdicts)}


@dataclass(frozen=True, slots=True)
class Comer:
    """A new record, what the matcher sees of it, and what a scout saw of the index."""

    rendering: Rendering
    subject: Subject
    sighting: Sighting


class Meeting:
    """New records, one after the other, among those that a scout saw and those that came since."""

    def __init__(self, recent: Recent, configuration: Configuration) -> None:
        self._recent = recent
        self._configuration = configuration

    def meet(self, key: PatientKey, comer: Comer) -> Met:
        """Compare a record with all that it meets; those after it will meet it as well."""
        met = self._met(comer)
        told = comer.rendering
        nationals = [((of, id), valid) for of, id, _, valid in told.nationals]
        self._recent.put(key, Known(comer.subject, told.stored, nationals))
        return met

    def _met(self, comer: Comer) -> Met:
        carrying = list(chain.from_iterable(self._carrying(comer)))
        return Met(
            verdicts=worth_keeping(list(self._verdicts(comer)), NO_VERDICTS),
            carrying=frozenset([key for key, _ in carrying]),
            carrying_rightly=frozenset([key for key, valid in carrying if valid]),
        )

    def _carrying(self, comer: Comer) -> Iterator[Sequence[Carrier]]:
        for (of, id, _, valid), seen in zip(comer.rendering.nationals, comer.sighting.carrying, strict=True):
            if valid:
                yield self._recent.carrying((of, id), seen)

    def _verdicts(self, comer: Comer) -> Iterator[Verdict]:
        """Take over what a scout found, and compare with whom it did not see as they are."""
        mine, found = comer.subject, comer.sighting.verdicts(self._configuration)
        for key in self._sharing(comer):
            theirs = self._recent.subject(key)
            if theirs is None:
                if key in found:
                    yield found[key]
            elif not are_hopeless(mine, theirs):
                yield Verdict(other=key, comparison=compare(mine, theirs, self._configuration))

    def _sharing(self, comer: Comer) -> list[PatientKey]:
        """As ``store_blocking.sharing``, in the order of their keys."""
        told = comer.rendering
        keys = chain(told.stored, told.lookup)
        lists = [self._recent.sharing(one, seen) for one, seen in zip(keys, comer.sighting.sharing, strict=True)]
        lists = [some for some in lists if len(some) <= CROWDED]
        found = set(chain.from_iterable(lists))
        if len(found) <= MOST:
            return sorted(found)
        shared = Counter(chain.from_iterable(lists))
        return sorted(sorted(shared, key=lambda key: (-shared[key], key))[:MOST])
