"""Whom new records meet: those that share blocking keys or national ids, of the index and of the same batch."""

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import chain

from sqlalchemy import Connection

from ihe.identifiers import PatientKey
from pix import store_newcomers, store_records
from pix.comparing import Verdict, seen_as, worth_keeping
from pix.matching.configuration import Configuration
from pix.matching.dates import day
from pix.matching.findings import are_of_other_births
from pix.matching.scoring import compare
from pix.matching.subject import Subject
from pix.rendering import Rendering
from pix.state import linking_ids
from pix.store_blocking import CROWDED, MOST

National = tuple[str, str]
NOBODY: Sequence[PatientKey] = ()
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
class _Candidate:
    """What tells most records apart at once, and the way to all the rest of it."""

    birth: str
    identified: bool
    linking: frozenset[National]
    subject: Callable[[], Subject]


class Meeting:
    """Records of one transaction, none of which is in the tables yet, and whom they met there."""

    def __init__(self, connection: Connection, configuration: Configuration) -> None:
        self._connection = connection
        self._configuration = configuration
        self._stored: dict[int, Sequence[PatientKey]] = {}
        self._new: defaultdict[int, list[PatientKey]] = defaultdict(list)
        self._candidates: dict[PatientKey, _Candidate] = {}
        self._carrying: dict[National, list[tuple[PatientKey, bool]]] = {}

    def prepare(self, some: Iterable[Rendering]) -> None:
        """Ask the index for all that these may meet."""
        keys = set(chain.from_iterable(chain(each.stored, each.lookup) for each in some)) - self._stored.keys()
        found = store_newcomers.sharing(self._connection, keys)
        self._stored |= dict.fromkeys(keys, NOBODY) | found
        self._describe({key for each in found.values() if len(each) <= CROWDED for key in each})
        ids = {(of, id) for each in some for of, id, _, _ in each.nationals} - self._carrying.keys()
        carrying = store_newcomers.carrying(self._connection, ids)
        self._carrying |= {each: carrying.get(each, []) for each in ids}

    def meet(self, key: PatientKey, each: Rendering, mine: Subject) -> Met:
        """Compare a record with all that it meets; those after it will meet it as well."""
        met = self._met(each, mine)
        self._candidates[key] = _Candidate(mine.birth, bool(mine.identifiers), each.linking, lambda: mine)
        for one in each.stored:
            self._new[one].append(key)
        for of, id, _, valid in each.nationals:
            self._carrying[of, id].append((key, valid))
        return met

    def _met(self, each: Rendering, mine: Subject) -> Met:
        carrying = [some for of, id, _, valid in each.nationals if valid for some in self._carrying[of, id]]
        compared = [
            Verdict(other=key, comparison=compare(mine, other.subject(), self._configuration))
            for key, other in ((key, self._candidates[key]) for key in self._sharing(each))
            if not _are_hopeless(mine, other)
        ]
        return Met(
            verdicts=worth_keeping(compared, NO_VERDICTS),
            carrying=frozenset(key for key, _ in carrying),
            carrying_rightly=frozenset(key for key, valid in carrying if valid),
        )

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

    def _describe(self, keys: set[PatientKey]) -> None:
        asked = keys - self._candidates.keys()
        if not asked:
            return
        nationals = store_records.nationals(self._connection, asked)
        for key, (birth, text) in store_records.described(self._connection, asked).items():
            linking = linking_ids(nationals.get(key, ()))
            self._candidates[key] = _Candidate(day(birth), '"ssn":' in text, linking, partial(seen_as, text, linking))


def _are_hopeless(mine: Subject, other: _Candidate) -> bool:
    """Claim that the comparison would leave them apart (``pix.matching.findings.are_hopeless``)."""
    apart = are_of_other_births(mine, other.birth, identified=other.identified)
    return apart and mine.nationals.isdisjoint(other.linking)
