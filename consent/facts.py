"""What was said of one patient, and what holds of it while the patient has these ids."""

from collections.abc import Collection, Iterator
from dataclasses import dataclass
from datetime import datetime

from consent.model import Emergency, Exclusion, Mask, Record, RecordState, Relationship
from ihe.identifiers import PatientKey

SEVERITY = (
    RecordState.OPEN,
    RecordState.WAITING,
    RecordState.SUSPENDED,
    RecordState.CLOSED,
    RecordState.DELETED,
)
"""From the state that lets most in to the one that lets nobody in."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Facts:
    """Everything that was said of the ids of one patient, or of several patients until ``of`` takes them apart.

    While ids are one patient, what any of them forbids is forbidden, and what any of them allows is allowed where
    nothing forbids it. What was taken back counts as taken back while the id under which it was is one of the ids.
    """

    records: tuple[Record, ...] = ()
    relationships: tuple[Relationship, ...] = ()
    exclusions: tuple[Exclusion, ...] = ()
    masks: tuple[Mask, ...] = ()
    emergencies: tuple[Emergency, ...] = ()

    def of(self, keys: Collection[PatientKey]) -> "Facts":
        """What holds for the patient who has these ids."""
        return Facts(
            records=tuple(self._records(keys)),
            relationships=tuple(each for each in self.relationships if each.key in keys),
            exclusions=tuple(each for each in self.exclusions if each.key in keys and each.lifted_under not in keys),
            masks=tuple(each for each in self.masks if each.key in keys and each.lifted_under not in keys),
            emergencies=tuple(each for each in self.emergencies if each.key in keys),
        )

    def _records(self, keys: Collection[PatientKey]) -> Iterator[Record]:
        """The last word on each id, of those that were said of ids that are still this patient's."""
        for key in sorted(keys):
            said = [each for each in self.records if each.key == key and each.under in keys]
            if said:
                yield max(said, key=lambda each: each.event)

    def state(self, now: datetime) -> RecordState | None:
        """The strictest state of the ids; None: there is no record."""
        states = {each.state_at(now) for each in self.records}
        return max(states, key=SEVERITY.index, default=None)
