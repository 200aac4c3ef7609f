"""The database, the index and the policy of a node, for the verbs of ``affinity consent``; its server may run."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

from affinity.cli.places import Place
from affinity.cli.verbs import wrong_use

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from affinity.database import Database
    from affinity.record_file import RecordRules
    from atna.trail import AuditTrail
    from consent.policy import Policy
    from ihe.patients import Patient
    from pix.manager import PatientIndex


@dataclass(frozen=True, slots=True, kw_only=True)
class Records:
    """What is looked at and changed."""

    database: "Database"
    index: "PatientIndex"
    policy: "Policy"
    rules: "RecordRules"
    trail: "AuditTrail"

    def patient(self, connection: "Connection", text: str) -> "Patient":
        """The patient with an XDS patient id; Stopped where there is none."""
        from ihe.datatypes import parse_patient_id

        try:
            patient_id = parse_patient_id(text)
        except ValueError as error:
            raise wrong_use(f"{text!r}: {error}") from error
        patient = self.index.resolve(connection, patient_id)
        if patient is None:
            raise wrong_use(f"no feed announced {text} to this domain, or it was merged into another id")
        return patient


@contextmanager
def opened(place: Place) -> Iterator[Records]:
    """Open them; a change takes its turn among those of a running server."""
    from affinity.domain import load
    from affinity.node import open_index, open_trail
    from affinity.offline import regardless
    from affinity.record_file import RecordRules

    settings = place.settings()
    loaded = load(settings.domain)
    with regardless(settings) as database:
        yield Records(
            database=database,
            index=open_index(settings, loaded, database),
            policy=loaded.access,
            rules=loaded.record or RecordRules(),
            trail=open_trail(settings, loaded, database),
        )
