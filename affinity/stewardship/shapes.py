"""What stewards read, as JSON: records, tasks, explanations, histories, statistics."""

from collections.abc import Iterable, Mapping
from dataclasses import asdict
from typing import Any

from ihe.domain import AffinityDomain
from ihe.identifiers import PatientKey
from pix import snapshot
from pix.event_log import Line
from pix.events import to_plain
from pix.explaining import Explanation
from pix.model import Demographics
from pix.state import NationalId
from pix.statistics import SourceStatistics
from pix.store_records import Record
from pix.tasks import Task
from pix.worklist import Described, Dossier, Listed, Shown

Plain = dict[str, Any]


class Shapes:
    """Makes JSON of values; the domain knows the names of authorities."""

    def __init__(self, domain: AffinityDomain) -> None:
        self._namespaces = {each.oid: each.namespace_id for each in domain.assigning_authorities}

    def listed(self, page: Listed) -> Plain:
        """A page of tasks."""
        tasks = [
            {**self.task(each.task), "opened": each.opened, "records": self._brief(each.task.pair, page.records)}
            for each in page.tasks
        ]
        return {"tasks": tasks, "following": page.following}

    def dossier(self, dossier: Dossier) -> Plain:
        """One task with both records and the explanation."""
        explanation = dossier.explanation
        return {
            **self.task(dossier.task),
            "opened": dossier.opened,
            "choices": [each.value for each in dossier.choices],
            "records": [self.shown(each) for each in dossier.shown],
            "earlier": None if dossier.earlier is None else snapshot.plain(dossier.earlier),
            "explanation": None if explanation is None else self.explanation(explanation),
        }

    def task(self, task: Task) -> Plain:
        """What a task is, without its records."""
        return {
            "number": task.number,
            "kind": task.kind.value,
            "reason": task.reason,
            "open": task.waits,
            "decision": task.decision,
            "owner": task.owner,
            "version": task.version,
        }

    def shown(self, shown: Shown) -> Plain:
        """A record with all that belongs to it."""
        return {
            **self.record(shown.record),
            "demographics": snapshot.plain(shown.record.demographics),
            "national_ids": [self._national(each) for each in shown.nationals],
            "others": [self.record(each) for each in shown.others],
            "subsumed": [self.record(each) for each in shown.subsumed],
        }

    def record(self, record: Record) -> Plain:
        """A record in one line."""
        return {
            "id": self.id(record),
            "source": record.source,
            "in_use": record.announced and record.survivor is None,
            **summary(record.demographics),
        }

    def explanation(self, explanation: Explanation) -> Plain:
        """Why two records are one person, or two."""
        ids = {each.key: self.id(each) for each in explanation.records}
        stored, decided = explanation.stored, explanation.decided
        return {
            "ids": list(ids.values()),
            "one_person": explanation.together,
            "linked_by": {ids[each.record]: each.reason for each in explanation.links},
            "decision": None
            if decided is None
            else {
                "same": decided.decision.same,
                "basis": decided.decision.basis.value,
                "by": decided.line.entry.actor,
                "at": decided.line.entry.at,
                "reason": decided.line.reason,
            },
            "stored": None if stored is None else {**stored.detail, "at": stored.at},
            "today": dict(explanation.today),
            "differs": explanation.differs,
        }

    def history(self, shown: Shown, lines: Iterable[Line], most: int) -> Plain:
        """A record and what happened to it; ``following`` continues."""
        told = [self._line(each) for each in lines]
        following = told[-1]["number"] if len(told) == most else None
        return {"record": self.shown(shown), "events": told, "following": following}

    def person(self, described: Described) -> Plain:
        """The golden view; ``provenance`` says from which record each attribute is."""
        records, view = described.records, described.view
        return {
            "records": [self.record(each) for each in records.values()],
            "demographics": snapshot.plain(view.demographics),
            "provenance": {
                name: {"id": self.id(records[key]), "source": records[key].source, "updated": records[key].updated}
                for name, key in view.provenance.items()
            },
        }

    def statistics(self, sources: Iterable[SourceStatistics], at: str) -> Plain:
        """Counts by source."""
        return {"at": at, "sources": [asdict(each) for each in sources]}

    def id(self, record: Record) -> str:
        """``id^^^namespace&oid&ISO``."""
        return self._written(record.authority, record.id)

    def _brief(self, keys: Iterable[PatientKey], records: Mapping[PatientKey, Record]) -> list[Plain]:
        return [self.record(records[key]) for key in dict.fromkeys(keys) if key in records]

    def _line(self, line: Line) -> Plain:
        columns = to_plain(line.event)
        return {
            "number": line.entry.number,
            "at": line.entry.at,
            "type": line.event.type,
            "actor": line.entry.actor,
            "transaction": line.origin,
            "message_id": line.message_id,
            "reason": line.reason,
            **columns,
        }

    def _national(self, national: NationalId) -> Plain:
        return {"id": self._written(national.authority, national.id), "valid": national.valid}

    def _written(self, oid: str, id: str) -> str:
        return f"{id}^^^{self._namespaces.get(oid, '')}&{oid}&ISO"


def summary(demographics: Demographics) -> Plain:
    """By what a person is known again at a glance; None for what is not known."""
    name = demographics.names[0] if demographics.names else None
    return {
        "family": (name.family or None) if name else None,
        "given": (name.given or None) if name else None,
        "birth_date": (demographics.birth_time or "")[:8] or None,
        "sex": demographics.sex,
    }
