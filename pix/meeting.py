"""Whom new records meet: those that share blocking keys or national ids, of the index and of the same batch."""

from collections import Counter, defaultdict
from collections.abc import Sequence, Set
from dataclasses import dataclass
from functools import lru_cache
from itertools import chain

from sqlalchemy import Connection

from ihe.identifiers import PatientKey
from pix import store_cards, store_newcomers
from pix.comparing import Verdict, subjects_of, worth_keeping
from pix.matching import dates
from pix.matching.configuration import Configuration
from pix.matching.findings import are_hopeless
from pix.matching.scoring import compare
from pix.matching.subject import Subject
from pix.rendering import Rendering, subject_of
from pix.store_blocking import CROWDED, MOST

National = tuple[str, str]
NOBODY: Sequence[PatientKey] = ()
NO_VERDICTS: frozenset[PatientKey] = frozenset()
_day = lru_cache(maxsize=2**16)(dates.day)
"""There are not more days on which people were born who are alive."""


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
    """A new record, what the matcher sees of it, and those of the index that its birth does not tell from it."""

    rendering: Rendering
    subject: Subject
    alike: Set[PatientKey]


class Meeting:
    """Records of one transaction, none of which is in the tables yet, and whom they met there."""

    def __init__(self, connection: Connection, configuration: Configuration) -> None:
        self._connection = connection
        self._configuration = configuration
        self._stored: dict[int, Sequence[PatientKey]] = {}
        self._new: defaultdict[int, list[PatientKey]] = defaultdict(list)
        self._births: dict[PatientKey, str] = {}
        self._subjects: dict[PatientKey, Subject] = {}
        self._carrying: dict[National, list[tuple[PatientKey, bool]]] = {}

    def prepare(self, some: Sequence[Rendering]) -> list[Comer]:
        """Ask the index for all that these may meet."""
        keys = set(chain.from_iterable(chain(each.stored, each.lookup) for each in some)) - self._stored.keys()
        found = store_newcomers.sharing(self._connection, keys)
        self._stored |= dict.fromkeys(keys, NOBODY) | found
        self._read_births({key for each in found.values() if len(each) <= CROWDED for key in each})
        ids = {(of, id) for each in some for of, id, _, _ in each.nationals} - self._carrying.keys()
        carrying = store_newcomers.carrying(self._connection, ids)
        self._carrying |= {each: carrying.get(each, []) for each in ids}
        comers = [self._comer(each) for each in some]
        self._read_subjects({key for each in comers for key in each.alike})
        return comers

    def meet(self, key: PatientKey, comer: Comer) -> Met:
        """Compare a record with all that it meets; those after it will meet it as well."""
        each = comer.rendering
        met = self._met(comer)
        self._subjects[key] = comer.subject
        for one in each.stored:
            self._new[one].append(key)
        for of, id, _, valid in each.nationals:
            self._carrying[of, id].append((key, valid))
        return met

    def _met(self, comer: Comer) -> Met:
        each, mine, subjects = comer.rendering, comer.subject, self._subjects
        carrying = [some for of, id, _, valid in each.nationals if valid for some in self._carrying[of, id]]
        compared = [
            Verdict(other=key, comparison=compare(mine, subjects[key], self._configuration))
            for key in self._sharing(each)
            # Those of the index are either alike or were left out; those of the batch have not been looked at yet.
            if key in comer.alike or (key not in self._births and not are_hopeless(mine, subjects[key]))
        ]
        return Met(
            verdicts=worth_keeping(compared, NO_VERDICTS),
            carrying=frozenset(key for key, _ in carrying),
            carrying_rightly=frozenset(key for key, valid in carrying if valid),
        )

    def _comer(self, each: Rendering) -> Comer:
        """Tell whom of the index it must be compared with: what a birth tells apart needs no other look.

        Who may be identified otherwise is among them in any case (``pix.matching.findings.are_hopeless``).
        """
        mine, births = subject_of(each.subject), self._births
        lists = [self._stored[one] for one in chain(each.stored, each.lookup)]
        met = set(chain.from_iterable([some for some in lists if len(some) <= CROWDED]))
        if mine.identifiers:
            return Comer(each, mine, met)
        known = {key for of, id, *_ in each.nationals for key, _ in self._carrying[of, id]}
        alike = dates.alike(mine.birth, {key: births[key] for key in met})
        return Comer(each, mine, alike | (met & known))

    def _sharing(self, each: Rendering) -> list[PatientKey]:
        """As ``store_blocking.sharing``, in the order of their keys."""
        lists = []
        for one in chain(each.stored, each.lookup):
            stored, new = self._stored[one], self._new.get(one, NOBODY)
            if len(stored) + len(new) <= CROWDED:
                lists += [stored, new]
        found = set(chain.from_iterable(lists))
        if len(found) <= MOST:
            return sorted(found)
        shared = Counter(chain.from_iterable(lists))
        return sorted(sorted(shared, key=lambda key: (-shared[key], key))[:MOST])

    def _read_births(self, keys: set[PatientKey]) -> None:
        if asked := keys - self._births.keys():
            births = store_cards.births(self._connection, asked)
            self._births |= {key: _day(birth) for key, birth in births.items()}

    def _read_subjects(self, keys: set[PatientKey]) -> None:
        if asked := keys - self._subjects.keys():
            self._subjects |= subjects_of(self._connection, asked)
