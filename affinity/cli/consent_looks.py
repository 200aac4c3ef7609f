"""``affinity consent explain | what-if | history | emergencies``: why, what would change, what was done."""

from collections.abc import Iterable
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from affinity.cli.places import Place
from affinity.cli.verbs import ExitCode, Output, verb, wrong_use

if TYPE_CHECKING:
    from affinity.access_trial import Outcome
    from consent.case import Described, Reason, Standing
    from consent.policy import Policy
    from ihe.datatypes import Code
    from ihe.exchange import Principal

EXPLAIN_EXAMPLES = r"""[bold]Examples[/bold]
  affinity consent explain --patient 'DSP-1^^^&1.2.3&ISO' --principal npi:90000022 \
      --role 'treating-doctor^^2.25.185014298127404816031548209217553690417' --purpose 'TREAT^^2.16.840.1.113883.5.8'
      why this doctor sees the record, rule by rule, and which documents

  affinity consent explain --patient 'DSP-1^^^&1.2.3&ISO' --principal npi:90000022 --role ... --document 2.25.4242
      the same for one document

Exit 0: yes; 1: no. Without --principal: a system that names nobody."""
WHAT_IF_EXAMPLES = r"""[bold]Examples[/bold]
  affinity consent what-if --policy my-domain/access.toml
      who would see more, and who less, with this policy than with the one in force; nothing is changed"""
HISTORY_EXAMPLES = r"""[bold]Examples[/bold]
  affinity consent history 'DSP-1^^^&1.2.3&ISO'
      everything that was done to this record, the newest first: who, when, why"""
EMERGENCIES_EXAMPLES = r"""[bold]Examples[/bold]
  affinity consent emergencies
      the review list: access in emergencies at which nobody has looked yet"""

PatientOption = Annotated[str, typer.Option("--patient", metavar="PATIENT", help="The XDS patient id: id^^^&oid&ISO.")]
PatientId = Annotated[str, typer.Argument(metavar="PATIENT", help="The XDS patient id: id^^^&oid&ISO.")]
PrincipalText = Annotated[
    str | None,
    typer.Option("--principal", help="Who asks: npi:NUMBER or person:NAMEID@ISSUER; default: nobody."),
]
Roles = Annotated[list[str] | None, typer.Option("--role", help="A role of the assertion, code^^scheme; repeatable.")]
Organizations = Annotated[
    list[str] | None, typer.Option("--organization", help="An organisation of the assertion, an OID; repeatable.")
]
PurposeTexts = Annotated[list[str] | None, typer.Option("--purpose", help="A purpose of use, likewise; repeatable.")]
Document = Annotated[str | None, typer.Option("--document", help="A uniqueId; default: all documents of the patient.")]
PolicyFile = Annotated[
    Path, typer.Option("--policy", metavar="FILE", help="The proposed access.toml.", exists=True, dir_okay=False)
]


@verb
def explain(
    patient: PatientOption,
    place: Place,
    output: Output,
    principal: PrincipalText = None,
    role: Roles = None,
    organization: Organizations = None,
    purpose: PurposeTexts = None,
    document: Document = None,
) -> ExitCode:
    """Say why somebody sees a patient's documents, or does not, rule by rule."""
    from affinity.access_documents import documents
    from affinity.cli.consent_places import opened
    from consent import store
    from consent.case import Case
    from consent.decision import judge, stand
    from ihe.identifiers import UniqueId

    asking = _principal(principal, role or (), organization or (), purpose or ())
    with opened(place) as records, records.database.engine.connect() as connection:
        keys = records.patient(connection, patient).keys
        facts = store.facts(connection, keys).of(keys)
        standing = stand(Case(policy=records.policy, principal=asking, facts=facts, now=datetime.now(UTC)))
        held = tuple(documents(connection, keys, UniqueId(document) if document else None))
    if document and not held:
        raise wrong_use(f"the patient has no document {document}")
    verdicts = [(each, *judge(standing, each)) for each in held]
    _show_explanation(records.policy, standing, verdicts, output)
    return ExitCode.DONE if any(seen for _, seen, _ in verdicts) or _sees_all(records.policy) else ExitCode.REFUSED


@verb
def what_if(place: Place, output: Output, policy: PolicyFile) -> None:
    """Show what a changed policy would alter, over everything that there is."""
    from affinity.access_trial import compare
    from affinity.cli.consent_places import opened
    from affinity.domain import read_access

    proposed = read_access(policy)
    with opened(place) as records:
        index = records.index
        outcome = records.database.read(
            lambda connection: compare(connection, index, (records.policy, proposed), datetime.now(UTC))
        )
    _show_outcome(outcome, output)


@verb
def history(patient: PatientId, place: Place, output: Output) -> None:
    """List what was done to a record and to who may see it."""
    from affinity.cli.consent_places import opened
    from affinity.cli.show import print_json, print_table
    from consent import log as past
    from consent.events import to_json

    with opened(place) as records:
        events = records.database.read(lambda c: past.history(c, records.patient(c, patient)))
    if output.as_json:
        names = ("number", "at", "type", "actor", "reason", "origin")
        print_json([{**{name: getattr(e, name) for name in names}, "detail": to_json(e.detail)} for e in events])
        return
    rows = [(str(e.number), e.at[:19], e.type, e.actor, e.reason, to_json(e.detail)) for e in events]
    print_table(("event", "at", "what", "who", "why", "detail"), rows)


@verb
def emergencies(place: Place, output: Output) -> None:
    """List the access in emergencies that nobody has reviewed."""
    from affinity.cli.consent_places import opened
    from affinity.cli.show import print_json, print_table
    from consent import store

    with opened(place) as records:
        waiting = records.database.read(store.unreviewed_emergencies)
        ids = records.database.read(lambda c: records.index.current(c, {each.key for each in waiting}))
    rows = [
        (str(e.number), str(ids.get(e.key, e.key)), e.party, f"{e.since:%Y-%m-%d %H:%M}", f"{e.until:%H:%M}", e.reason)
        for e in waiting
    ]
    columns = ("event", "patient", "who", "since", "until", "why")
    if output.as_json:
        print_json([dict(zip(columns, row, strict=True)) for row in rows])
    else:
        print_table(columns, rows)


def _principal(
    who: str | None, roles: Iterable[str], organizations: Iterable[str], purposes: Iterable[str]
) -> "Principal | None":
    from ihe.exchange import Principal

    if who is None:
        return None
    kind, _, rest = who.partition(":")
    name_id, _, issuer = rest.partition("@")
    if kind not in ("npi", "person") or not rest or (kind == "person" and not issuer):
        raise wrong_use(f"{who!r} is nobody: npi:NUMBER or person:NAMEID@ISSUER")
    return Principal(
        issuer=issuer or "-",
        assertion_id="",
        name_id=name_id if kind == "person" else "-",
        npi=rest if kind == "npi" else None,
        organization_id=tuple(organizations),
        roles=tuple(map(_code, roles)),
        purpose_of_use=tuple(map(_code, purposes)),
    )


def _code(text: str) -> "Code":
    from ihe.datatypes import Code

    code, _, scheme = text.partition("^^")
    if not code or not scheme:
        raise wrong_use(f"{text!r} is no code: code^^scheme")
    return Code(code, scheme)


def _sees_all(policy: "Policy") -> bool:
    from consent.policy import Mode

    return policy.mode is Mode.OPEN


def _show_explanation(
    policy: "Policy",
    standing: "Standing",
    verdicts: "list[tuple[Described, bool, tuple[Reason, ...]]]",
    output: Output,
) -> None:
    from affinity.cli.show import print_json, print_line, print_table

    if output.as_json:
        print_json(_plain(policy, standing, verdicts))
        return
    if _sees_all(policy):
        print_line("The policy of this domain is open: everybody sees everything.", "bold")
        return
    print_table(("rule", "says", "because"), [(e.rule, e.effect, e.words) for e in standing.reasons])
    rows = [
        (document.unique_id, "yes" if seen else "no", "; ".join(f"{e.rule}: {e.words}" for e in reasons))
        for document, seen, reasons in verdicts
    ]
    print_table(("document", "seen", "because"), rows, ["green" if seen else "" for _, seen, _ in verdicts])


def _plain(
    policy: "Policy", standing: "Standing", verdicts: "list[tuple[Described, bool, tuple[Reason, ...]]]"
) -> dict[str, Any]:
    def reasons(some: "tuple[Reason, ...]") -> list[dict[str, str]]:
        return [{"rule": each.rule, "effect": each.effect, "words": each.words} for each in some]

    return {
        "mode": policy.mode,
        "patient": reasons(standing.reasons),
        "documents": [
            {"uniqueId": document.unique_id, "seen": seen or _sees_all(policy), "reasons": reasons(why)}
            for document, seen, why in verdicts
        ],
    }


def _show_outcome(outcome: "Outcome", output: Output) -> None:
    from affinity.cli.show import print_json, print_line, print_table

    if output.as_json:
        print_json(
            {
                "patients": outcome.patients,
                "documents": outcome.documents,
                "gained": dict(outcome.gained),
                "lost": dict(outcome.lost),
                "examples": [
                    {"who": each.who, "patient_key": each.patient, "uniqueId": each.unique_id, "gained": each.gained}
                    for each in outcome.examples
                ],
            }
        )
        return
    print_line(f"{outcome.patients} patients with {outcome.documents} documents; nothing was changed")
    names = sorted(outcome.gained.keys() | outcome.lost.keys())
    if not names:
        print_line("Nobody would see more or less.", "bold")
        return
    rows = [(name, f"+{outcome.gained[name]}", f"-{outcome.lost[name]}") for name in names]
    print_table(("who", "would see", "would not see any more"), rows)
