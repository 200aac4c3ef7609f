"""``affinity consent import`` and ``export``: the rights of a record as a FHIR Consent."""

from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from affinity.cli.places import Place
from affinity.cli.verbs import ExitCode, Output, Stopped, verb

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from affinity.cli.consent_places import Records
    from consent.effects import Deed
    from consent.model import Act
    from consent.statements import ConsentDocument
    from ihe.errors import Rejected

IMPORT_EXAMPLES = r"""[bold]Examples[/bold]
  affinity consent import consent.json --reason 'signed at the counter'
      what a FHIR R4 Consent says, done to the record of the patient whom it names

Exit 1: something in it cannot be kept to; each part is named, and nothing is done."""
EXPORT_EXAMPLES = r"""[bold]Examples[/bold]
  affinity consent export 'DSP-1^^^&1.2.3&ISO' > consent.json
      what holds of the record now, as a FHIR R4 Consent; what FHIR cannot say goes to standard error"""

PatientId = Annotated[str, typer.Argument(metavar="PATIENT", help="The XDS patient id: id^^^&oid&ISO.")]
ConsentFile = Annotated[Path, typer.Argument(metavar="FILE", help="A FHIR R4 Consent (JSON).", exists=True)]
Reason = Annotated[str, typer.Option("--reason", help="Why: kept as long as the record is.")]
Actor = Annotated[str | None, typer.Option(help="Who decided; default: the user of this machine.")]


@verb
def import_(file: ConsentFile, place: Place, output: Output, reason: Reason, actor: Actor = None) -> None:
    """Do to a record what a FHIR Consent says."""
    from affinity.cli.consent_places import opened
    from affinity.cli.show import print_json, print_line
    from affinity.console import account
    from consent.model import Act

    now = datetime.now(UTC)
    with opened(place) as records:
        document, done = _agreed(file.read_bytes(), records, now)
        who = actor or account()
        act = Act(actor=who, reason=reason, at=now, origin=f"consent:{document.id or file.name}")
        records.database.write(lambda connection: _do(connection, records, document, done, act))
    patient = str(document.patients[0])
    if output.as_json:
        print_json({"patient": patient, "consent": document.id, "done": [str(each) for each in done]})
    else:
        print_line(f"{patient}: {len(done)} things done, as {file} says")


def _agreed(data: bytes, records: "Records", now: datetime) -> "tuple[ConsentDocument, tuple[Deed, ...]]":
    """What the Consent does; Stopped with each part that cannot be kept to."""
    from consent import fhir_reading
    from consent.effects import deeds
    from consent.fhir_table import R4
    from ihe.errors import Rejected

    try:
        document = fhir_reading.read(data)
        return document, deeds(document, records.rules.definitions, now, R4)
    except Rejected as rejected:
        raise Stopped(ExitCode.REFUSED, _told(rejected)) from None


def _do(
    connection: "Connection", records: "Records", document: "ConsentDocument", done: "tuple[Deed, ...]", act: "Act"
) -> None:
    """The events and the audit record, all or none."""
    from affinity.console import operator
    from atna.events import console_used
    from consent import documents
    from ihe.audit import patient as whose

    patient = records.patient(connection, str(document.patients[0]))
    documents.do(connection, patient, done, act, records.rules.delete_after)
    said = f"consent imported, decided by {act.actor}: {act.reason}"
    told = console_used(records.trail.node, act.at, operator(), said, (whose([str(patient.id)]),))
    records.trail.append(connection, (told,))


@verb
def export(patient: PatientId, place: Place, output: Output) -> None:
    """Print what holds of a record as a FHIR Consent."""
    import sys

    from affinity.cli.consent_places import opened
    from affinity.cli.show import print_json
    from consent import fhir_writing, store
    from consent.standing import standing

    now = datetime.now(UTC)
    with opened(place) as records, records.database.engine.connect() as connection:
        whose = records.patient(connection, patient)
        found = standing(whose, store.facts(connection, whose.keys).of(whose.keys), now)
    for each in found.left_out:
        sys.stderr.write(f"not in it: {each}\n")
    if not found.document.statements:
        raise Stopped(ExitCode.REFUSED, "nothing holds of this record that a FHIR Consent could say")
    print_json(fhir_writing.write(found.document))


def _told(rejected: "Rejected") -> str:
    parts = (
        f"{each.location}: {each.code_context}" if each.location else each.code_context for each in rejected.breaches
    )
    return "\n".join(parts)
