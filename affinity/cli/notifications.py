"""``affinity pix notifications`` and ``affinity pix resend``: what consumers are still to be told, and dead letters."""

from collections import Counter
from typing import TYPE_CHECKING, Annotated, Any

import typer

from affinity.cli.places import Place, opened
from affinity.cli.verbs import ExitCode, Output, verb, wrong_use
from pix.update_notifications import Notification, State

if TYPE_CHECKING:
    from affinity.database import Database

LIST_EXAMPLES = r"""[bold]Examples[/bold]
  affinity pix notifications
      how much waits for each subscriber and how much it refused; then each, oldest first

  affinity pix notifications --state dead --subscriber cardiology --json
      its dead letters, with the ids and the words with which it refused

  affinity pix notifications --state sent --config affinity.toml
      what was sent in the last seven days"""
RESEND_EXAMPLES = r"""[bold]Examples[/bold]
  affinity pix resend 4711 4712
      send these dead letters once more, as new messages

  affinity pix resend --all --subscriber cardiology
      all of one subscriber

A list that has changed since is not sent: what is true now was told after it. A running server sends within 30 s."""
PANEL = "Which"
NOTIFICATIONS = "pix_notification"
NumberOf = Annotated[list[int] | None, typer.Argument(metavar="[NUMBER]...", help="As `notifications` shows them.")]
All = Annotated[bool, typer.Option("--all", help="Every dead letter.", rich_help_panel=PANEL)]
SubscriberName = Annotated[str | None, typer.Option(help="Of this subscriber alone.", rich_help_panel=PANEL)]
States = Annotated[
    list[State] | None, typer.Option(help="Default: pending and dead; repeatable.", rich_help_panel=PANEL)
]
Limit = Annotated[int, typer.Option(help="At most so many.", min=1, max=10_000, rich_help_panel=PANEL)]


@verb
def notifications(
    place: Place,
    output: Output,
    state: States = None,
    subscriber: SubscriberName = None,
    limit: Limit = 100,
) -> ExitCode:
    """List the update notifications that wait to be sent, and dead letters (ITI-10, ITI-46)."""
    from pix.store_notifications import in_state

    wanted = tuple(state or (State.PENDING, State.DEAD))
    with opened(place.settings(), NOTIFICATIONS) as database:
        found = database.read(lambda connection: in_state(connection, wanted, subscriber, limit))
    _show(found, output)
    return ExitCode.DONE


@verb
def resend(
    place: Place, output: Output, number: NumberOf = None, every: All = False, subscriber: SubscriberName = None
) -> ExitCode:
    """Send dead letters again, unless what they tell is no longer true."""
    from affinity.cli.show import print_json, print_line
    from affinity.domain import load
    from affinity.node import utc_now
    from pix.notifications import send_again

    if bool(number) == every:
        raise wrong_use("give the numbers of dead letters, or --all")
    settings = place.settings()
    loaded = load(settings.domain)
    subscriptions = [each.subscription for each in loaded.subscribers]
    with opened(settings, NOTIFICATIONS) as database:
        dead = _dead(database, number or (), subscriber)
        ends = database.write(
            lambda connection: send_again(connection, loaded.affinity_domain, subscriptions, dead, utc_now())
        )
    if output.as_json:
        print_json([{"number": each.number, "state": ends[each.number]} for each in dead])
    for each in () if output.as_json else dead:
        print_line(f"{each.number} to {each.subscriber}: {MEANINGS[ends[each.number]]}")
    return ExitCode.DONE


MEANINGS = {
    State.PENDING: "will be sent again",
    State.OUTDATED: "is not sent again, for the list of ids has changed since",
    State.DEAD: "stays dead, for subscribers.toml has no such subscriber",
}


def _dead(database: "Database", numbers: list[int] | tuple[int, ...], subscriber: str | None) -> list[Notification]:
    from pix.store_notifications import by_numbers, in_state

    if not numbers:
        return list(database.read(lambda connection: in_state(connection, (State.DEAD,), subscriber)))
    found = {each.number: each for each in database.read(lambda connection: by_numbers(connection, numbers))}
    wrong = [each for each in numbers if each not in found or found[each].state is not State.DEAD]
    if wrong:
        raise wrong_use(f"{', '.join(map(str, wrong))}: no dead letter has this number")
    return list(found.values())


def _show(found: tuple[Notification, ...], output: Output) -> None:
    from affinity.cli.show import print_json, print_line, print_table

    if output.as_json:
        print_json([_plain(each) for each in found])
        return
    counts = Counter((each.subscriber, each.state.value) for each in found)
    for (subscriber, state), count in sorted(counts.items()):
        print_line(f"{subscriber}: {count} {state}")
    columns = ("number", "subscriber", "state", "attempts", "changed", "ids", "last error")
    rows = ([str(value or "") for value in _row(each)] for each in found)
    if found:
        print_table(columns, rows, ["red" if each.state is State.DEAD else "" for each in found])
    else:
        print_line("There are none.")


def _row(each: Notification) -> tuple[object, ...]:
    ids = " ".join(f"{cx.authority.namespace_id}:{cx.id}" for cx in each.identifiers)
    changed = each.at.isoformat(timespec="seconds")
    return (each.number, each.subscriber, each.state.value, each.attempts, changed, ids, each.error)


def _plain(each: Notification) -> dict[str, Any]:
    ids = [
        {"id": cx.id, "namespace_id": cx.authority.namespace_id, "oid": cx.authority.universal_id}
        for cx in each.identifiers
    ]
    times = {"changed": each.at.isoformat(), "due": each.due.isoformat()}
    told = {"number": each.number, "subscriber": each.subscriber, "state": each.state.value}
    return {**told, "attempts": each.attempts, **times, "identifiers": ids, "error": each.error}
