"""``affinity audit search`` and ``show``: records by patient, user, event, document, time and outcome."""

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated, Any

import typer

from affinity.cli.places import Place
from affinity.cli.verbs import Output, verb, wrong_use

if TYPE_CHECKING:
    from atna.model import AuditMessage
    from atna.store import Search, Stored

SEARCH_EXAMPLES = r"""[bold]Examples[/bold]
  affinity audit search --patient '1234^^^&1.3.6.1.4.1.21367.13.20.3000&ISO'
      who asked about this patient, the newest first

  affinity audit search --event ITI-43 --since 2026-11-01 --until 2026-12-01 --json
      every retrieve of November, for a program

  affinity audit search --outcome failure --limit 20
      what was refused last

A search is itself recorded in the trail (Audit Log Used)."""
SHOW_EXAMPLES = r"""[bold]Examples[/bold]
  affinity audit show 4711
      the record as DICOM audit XML, byte for byte as it was sealed"""

OUTCOMES = {"success": (0,), "failure": (4, 8, 12)}
NAMES = {0: "success", 4: "failure", 8: "serious failure", 12: "major failure"}

Several = list[str]
Patients = Annotated[Several, typer.Option("--patient", help="A patient id, id^^^&oid&ISO; may be repeated.")]
Users = Annotated[Several, typer.Option("--user", help="UserID of who asked: a person or a system; may be repeated.")]
Events = Annotated[Several, typer.Option("--event", help="ITI-18, or a DICOM code such as 110122; may be repeated.")]
Documents = Annotated[Several, typer.Option("--document", help="uniqueId or entryUUID; may be repeated.")]
Since = Annotated[str, typer.Option(help="Not before: 2026-11-26 or 2026-11-26T08:00, UTC.")]
Until = Annotated[str, typer.Option(help="Before: 2026-11-26 or 2026-11-26T08:00, UTC.")]
Outcome = Annotated[str, typer.Option(help="success or failure.")]
Before = Annotated[int | None, typer.Option(help="Go on with records older than this number.")]
Limit = Annotated[int, typer.Option(help="Most records that are listed.", min=1, max=10_000)]
Number = Annotated[int, typer.Argument(help="The number of a record.")]


@verb
def search(
    place: Place,
    output: Output,
    patients: Patients = [],  # noqa: B006 - typer copies it
    users: Users = [],  # noqa: B006
    events: Events = [],  # noqa: B006
    documents: Documents = [],  # noqa: B006
    since: Since = "",
    until: Until = "",
    outcome: Outcome = "",
    before: Before = None,
    limit: Limit = 100,
) -> None:
    """Find audit records, the newest first."""
    from affinity.audit_desk import audit_desk
    from atna import store
    from atna.store import Search

    wanted = Search(
        patients=tuple(patients),
        users=tuple(users),
        events=tuple(events),
        objects=tuple(documents),
        outcomes=_outcomes(outcome),
        since=_instant(since),
        until=_instant(until),
        before=before,
        limit=limit,
    )
    with audit_desk(place.settings()) as desk:
        desk.note(_told(wanted))
        found = desk.database.read(lambda connection: store.search(connection, wanted))
    _show(found, output, limit)


@verb
def show(place: Place, output: Output, number: Number) -> None:
    """Print one audit record."""
    import sys

    from affinity.audit_desk import audit_desk
    from affinity.cli.show import print_json
    from atna import store

    with audit_desk(place.settings()) as desk:
        desk.note(f"record {number}")
        found = desk.database.read(lambda connection: store.record(connection, number))
    if found is None:
        raise wrong_use(f"there is no record {number}")
    if output.as_json:
        print_json(plain(found))
    else:
        sys.stdout.write(found.xml.decode() + "\n")


def plain(found: "Stored") -> dict[str, Any]:
    """A record as JSON holds it."""
    message = found.message
    return {
        "record": found.sequence,
        "at": message.event.time.isoformat().replace("+00:00", "Z"),
        "event": found.event,
        "name": next(iter(message.event.types), message.event.id).display,
        "action": message.event.action,
        "outcome": NAMES.get(found.outcome, str(found.outcome)),
        "description": message.event.outcome_description,
        "purpose_of_use": [str(each) for each in message.event.purpose_of_use],
        "participants": [
            {
                "user_id": each.user_id,
                "user_name": each.user_name,
                "name": each.alternative_user_id,
                "requestor": each.is_requestor,
                "roles": [role.display or role.code for role in each.roles],
                "from": each.network_access_point,
            }
            for each in message.participants
        ],
        "objects": [{"type": each.id_type.display, "id": each.id} for each in message.objects],
    }


def _show(found: list["Stored"], output: Output, limit: int) -> None:
    from affinity.cli.show import print_json, print_line, print_table

    if output.as_json:
        print_json([plain(each) for each in found])
        return
    rows = [_row(each) for each in found]
    styles = ["" if each.outcome == 0 else "red" for each in found]
    print_table(("record", "at (UTC)", "event", "outcome", "who", "from", "patient", "objects"), rows, styles)
    if len(found) == limit:
        print_line(f"... go on with --before {found[-1].sequence}")


def _row(found: "Stored") -> tuple[str, ...]:
    from atna.entries import object_ids, patient_ids, user_ids

    message = found.message
    places = [each.network_access_point for each in message.participants if each.is_requestor]
    return (
        str(found.sequence),
        message.event.time.strftime("%Y-%m-%d %H:%M:%S"),
        found.event,
        NAMES.get(found.outcome, str(found.outcome)),
        ", ".join(user_ids(message)) or _first_participant(message),
        next(filter(None, places), ""),
        next(iter(patient_ids(message)), ""),
        _some(tuple(object_ids(message))),
    )


def _some(ids: tuple[str, ...]) -> str:
    return f"{ids[0]} and {len(ids) - 1} more" if len(ids) > 1 else "".join(ids)


def _first_participant(message: "AuditMessage") -> str:
    return message.participants[0].user_id


def _outcomes(outcome: str) -> tuple[int, ...]:
    if outcome and outcome not in OUTCOMES:
        raise wrong_use("--outcome is success or failure")
    return OUTCOMES.get(outcome, ())


def _instant(text: str) -> int | None:
    from atna.entries import instant

    if not text:
        return None
    try:
        read = datetime.fromisoformat(text)
    except ValueError:
        raise wrong_use(f"{text!r} is no time such as 2026-11-26 or 2026-11-26T08:00") from None
    return instant(read if read.tzinfo else read.replace(tzinfo=UTC))


def _told(wanted: "Search") -> str:
    """What was searched for, for the record of the search."""
    from dataclasses import fields

    given = ((each.name, getattr(wanted, each.name)) for each in fields(wanted))
    return "search: " + (", ".join(f"{name}={value}" for name, value in given if value and name != "limit") or "all")
