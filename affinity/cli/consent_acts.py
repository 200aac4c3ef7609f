"""``affinity consent record | relate | end | exclude | admit | mask | unmask | break-glass | review``: what is done."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import TYPE_CHECKING, Annotated

import typer

from affinity.cli.places import Place
from affinity.cli.verbs import ExitCode, Output, verb, wrong_use

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from affinity.cli.consent_places import Records
    from consent.model import Act, Party
    from consent.policy import Policy
    from ihe.patients import Patient

RECORD_EXAMPLES = r"""[bold]Examples[/bold]
  affinity consent record open 'DSP-1^^^&1.2.3&ISO' --reason 'signed at the desk'
      professionals with a relationship see the record from now on

  affinity consent record close 'DSP-1^^^&1.2.3&ISO' --reason 'letter of 3 March' --actor 'Léa Brandebourg'
      the patient objects: nobody but the patient sees it, and it is to be deleted after the policy's delay"""
RELATE_EXAMPLES = r"""[bold]Examples[/bold]
  affinity consent relate 'DSP-1^^^&1.2.3&ISO' npi:90000022 --kind treating-doctor --reason 'declared by the patient'
  affinity consent relate 'DSP-1^^^&1.2.3&ISO' organization:1.2.3.4 --kind professional --days 30 --reason 'home care'
  affinity consent relate 'DSP-1^^^&1.2.3&ISO' person:lea@urn:idp --kind patient --reason 'account checked at the desk'

A party is npi:NUMBER, organization:OID or person:NAMEID@ISSUER, as assertions name them."""
END_EXAMPLES = r"""[bold]Examples[/bold]
  affinity consent end 'DSP-1^^^&1.2.3&ISO' 17 --reason 'moved away'
      `affinity consent history` shows the numbers of relationships"""
EXCLUDE_EXAMPLES = r"""[bold]Examples[/bold]
  affinity consent exclude 'DSP-1^^^&1.2.3&ISO' npi:90000022 --reason 'my neighbour'
      whatever their relationship, they see nothing; no emergency changes that"""
ADMIT_EXAMPLES = r"""[bold]Examples[/bold]
  affinity consent admit 'DSP-1^^^&1.2.3&ISO' npi:90000022 --reason 'on my wish'
      the exclusion is lifted"""
MASK_EXAMPLES = r"""[bold]Examples[/bold]
  affinity consent mask 'DSP-1^^^&1.2.3&ISO' 2.25.4242 2.25.4243 --reason 'on my wish'
  affinity consent mask 'DSP-1^^^&1.2.3&ISO' 2.25.4242 --profession nurse --reason 'on my wish'"""
UNMASK_EXAMPLES = r"""[bold]Examples[/bold]
  affinity consent unmask 'DSP-1^^^&1.2.3&ISO' 2.25.4242 --reason 'on my wish'"""
GLASS_EXAMPLES = r"""[bold]Examples[/bold]
  affinity consent break-glass 'DSP-1^^^&1.2.3&ISO' npi:90000022 --reason 'unconscious, admitted 14:20'
      for that person alone, for the hours of the policy; it is on the review list"""
REVIEW_EXAMPLES = r"""[bold]Examples[/bold]
  affinity consent review 'DSP-1^^^&1.2.3&ISO' 23 --reason 'called the ward: justified'"""

PatientId = Annotated[str, typer.Argument(metavar="PATIENT", help="The XDS patient id: id^^^&oid&ISO.")]
PartyText = Annotated[str, typer.Argument(metavar="PARTY", help="npi:NUMBER, organization:OID, person:NAMEID@ISSUER.")]
Number = Annotated[int, typer.Argument(metavar="NUMBER", help="The number of the event that began it.")]
Documents = Annotated[list[str], typer.Argument(metavar="UNIQUE-ID...", help="uniqueIds of documents.")]
Days = Annotated[int | None, typer.Option("--days", min=1, help="How long; default: what the policy says.")]
ProfessionName = Annotated[str, typer.Option("--profession", help="A profession of the policy; default: all.")]


@dataclass(frozen=True, slots=True, kw_only=True)
class Said(Place):
    """Where it is done, why, and by whom."""

    reason: Annotated[str, typer.Option("--reason", help="Why: kept as long as the record is.")]
    actor: Annotated[str | None, typer.Option(help="Who decided; default: the user of this machine.")] = None


class Step(StrEnum):
    """A step of a record's life."""

    CREATE = "create"
    OPEN = "open"
    SUSPEND = "suspend"
    CLOSE = "close"
    DELETE = "delete"


class Kind(StrEnum):
    """What somebody is to the patient."""

    PATIENT = "patient"
    REPRESENTATIVE = "representative"
    REFERRING_DOCTOR = "referring-doctor"
    TREATING_DOCTOR = "treating-doctor"
    PROFESSIONAL = "professional"


StepName = Annotated[Step, typer.Argument(metavar="STEP", help="create, open, suspend, close or delete.")]
KindName = Annotated[Kind, typer.Option("--kind", help="What the party is to the patient.")]
Work = Callable[["Connection", "Patient", "Act", "Records"], int]


@verb
def record(step: StepName, patient: PatientId, said: Said, output: Output) -> ExitCode:
    """Begin, open, suspend, close or delete a patient's record."""
    from consent import recording

    def work(connection: "Connection", whose: "Patient", act: "Act", desk: "Records") -> int:
        match step:
            case Step.CREATE:
                return recording.create_record(connection, whose, act, act.at + desk.rules.waiting)
            case Step.CLOSE:
                later = desk.rules.delete_after
                return recording.close_record(connection, whose, act, act.at + later if later is not None else None)
            case Step.OPEN:
                return recording.open_record(connection, whose, act)
            case Step.SUSPEND:
                return recording.suspend_record(connection, whose, act)
        return recording.delete_record(connection, whose, act)

    return _do(said, output, patient, work)


@verb
def relate(
    patient: PatientId,
    party: PartyText,
    said: Said,
    output: Output,
    kind: KindName,
    days: Days = None,
) -> ExitCode:
    """Declare that somebody has to do with the patient."""
    from consent import recording
    from consent.model import OWN, RelationshipKind

    known, whom = RelationshipKind(kind.value), _party(party)

    def work(connection: "Connection", whose: "Patient", act: "Act", desk: "Records") -> int:
        lasts = timedelta(days=days) if days else None if known in OWN else desk.policy.declared()
        return recording.relate(connection, whose, whom, known, act, until=act.at + lasts if lasts else None)

    return _do(said, output, patient, work)


@verb
def end(patient: PatientId, number: Number, said: Said, output: Output) -> ExitCode:
    """End a relationship."""
    from consent import recording

    return _do(
        said,
        output,
        patient,
        lambda c, whose, act, _: recording.end_relationship(c, whose, number, act),
    )


@verb
def exclude(patient: PatientId, party: PartyText, said: Said, output: Output) -> ExitCode:
    """Shut a professional or an organisation out."""
    from consent import recording

    whom = _party(party)
    return _do(said, output, patient, lambda c, whose, act, _: recording.exclude(c, whose, whom, act))


@verb
def admit(patient: PatientId, party: PartyText, said: Said, output: Output) -> ExitCode:
    """Lift an exclusion."""
    from consent import recording

    whom = _party(party)
    return _do(said, output, patient, lambda c, whose, act, _: recording.lift_exclusion(c, whose, whom, act))


@verb
def mask(
    patient: PatientId,
    documents: Documents,
    said: Said,
    output: Output,
    profession: ProfessionName = "*",
) -> ExitCode:
    """Hide documents from every professional, or from one profession."""
    from consent import recording
    from ihe.identifiers import UniqueId

    ids = [UniqueId(each) for each in documents]
    return _do(
        said,
        output,
        patient,
        lambda c, whose, act, desk: recording.mask(c, whose, ids, act, _known(profession, desk.policy)),
    )


@verb
def unmask(
    patient: PatientId,
    documents: Documents,
    said: Said,
    output: Output,
    profession: ProfessionName = "*",
) -> ExitCode:
    """Show documents again."""
    from consent import recording
    from ihe.identifiers import UniqueId

    ids = [UniqueId(each) for each in documents]
    return _do(
        said,
        output,
        patient,
        lambda c, whose, act, _: recording.unmask(c, whose, ids, act, profession),
    )


@verb
def break_glass(patient: PatientId, party: PartyText, said: Said, output: Output) -> ExitCode:
    """Give one person access in an emergency."""
    from consent import recording

    whom = _party(party)
    if whom.startswith("organization:"):
        raise wrong_use("an emergency opens the record for one person, never for an organisation")

    def work(connection: "Connection", whose: "Patient", act: "Act", desk: "Records") -> int:
        rules = desk.policy.emergency
        until = act.at + timedelta(hours=rules.hours)
        return recording.break_glass(connection, whose, whom, act, until=until, level=rules.level)

    return _do(said, output, patient, work)


@verb
def review(patient: PatientId, number: Number, said: Said, output: Output) -> ExitCode:
    """Note that somebody looked at an access in an emergency, and what they found."""
    from consent import recording

    return _do(said, output, patient, lambda c, whose, act, _: recording.review_glass(c, whose, number, act))


def _do(said: Said, output: Output, patient: str, work: Work) -> ExitCode:
    """One event, in a transaction of its own beside a running server."""
    from affinity.cli.consent_places import opened
    from affinity.cli.show import print_json, print_line
    from affinity.console import account, operator
    from atna.events import console_used
    from consent.model import Act
    from ihe.audit import patient as whose

    if not said.reason.strip():
        raise wrong_use("--reason says why; it cannot be empty")
    actor = said.actor or account()
    act = Act(actor=actor, reason=said.reason, at=datetime.now(UTC), origin="console")

    def audited(connection: "Connection", desk: "Records") -> int:
        number = work(connection, desk.patient(connection, patient), act, desk)
        # The trail names the account that worked here, whoever is said to have decided.
        done = f"consent event {number}, decided by {actor}: {said.reason}"
        desk.trail.append(connection, (console_used(desk.trail.node, act.at, operator(), done, (whose((patient,)),)),))
        return number

    with opened(said) as desk:
        number = desk.database.write(lambda connection: audited(connection, desk))
    if output.as_json:
        print_json({"event": number, "patient": patient, "actor": act.actor})
    else:
        print_line(f"done: event {number}")
    return ExitCode.DONE


def _party(text: str) -> "Party":
    from consent.model import Party, organization

    kind, _, rest = text.partition(":")
    if kind not in ("npi", "organization", "person") or not rest or (kind == "person" and "@" not in rest):
        raise wrong_use(f"{text!r} is no party: npi:NUMBER, organization:OID or person:NAMEID@ISSUER")
    return organization(rest) if kind == "organization" else Party(text)


def _known(profession: str, policy: "Policy") -> str:
    names = [each.name for each in policy.professions]
    if profession != "*" and profession not in names:
        raise wrong_use(f"{profession!r} is no profession of the policy: {', '.join(sorted(names)) or 'it has none'}")
    return profession
