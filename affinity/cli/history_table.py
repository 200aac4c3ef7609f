"""The story of a record as a table: who did what, when and why."""

from collections.abc import Callable, Mapping
from typing import Any

from affinity.cli.desk_tables import short
from affinity.cli.show import print_json, print_line, print_table
from affinity.cli.verbs import ExitCode, Output

Plain = Mapping[str, Any]


def show_history(story: Plain, output: Output) -> ExitCode:
    """A record and its events, the newest first."""
    if output.as_json:
        print_json(story)
        return ExitCode.DONE
    record = story["record"]
    state = "in use" if record["in_use"] else "not in use"
    print_line(f"{short(record['id'])} of {record['source']}, {state}", "bold")
    rows = [
        (str(each["number"]), each["at"][:19], each["type"], _told(each), each["actor"], each["reason"] or "")
        for each in story["events"]
    ]
    print_table(("event", "at (UTC)", "what", "", "by", "reason"), rows)
    if story["following"]:
        print_line(f"... go on with --before {story['following']}")
    return ExitCode.DONE


def _told(event: Plain) -> str:
    teller = TELLERS.get(event["type"])
    return teller(event, event["after"]) if teller else ""


def _changed(event: Plain, after: Plain) -> str:
    if event["before"] is None:
        return "nothing changed"
    old, new = event["before"], after["state"]
    names = [name for name in {**old["demographics"], **new["demographics"]} if _differ(old, new, name)]
    return ", ".join(names + (["national ids"] if old.get("national") != new.get("national") else []))


def _differ(old: Plain, new: Plain, name: str) -> bool:
    return bool(old["demographics"].get(name) != new["demographics"].get(name))


def _person(event: Plain, after: Plain) -> str:
    names = after["state"]["demographics"].get("names") or [{}]
    return " ".join(filter(None, (names[0].get("family"), names[0].get("given"))))


TELLERS: Mapping[str, Callable[[Plain, Plain], str]] = {
    "announced": _person,
    "updated": _changed,
    "remarked": lambda event, after: after["remark"],
    "declared": lambda event, after: f"{'one person' if after['same'] else 'two people'} ({after['basis']})",
    "matched": lambda event, after: f"{after['outcome']}, {after['weight']:.2f} bits {after['reason']}".strip(),
    "linked": lambda event, after: f"joined by {after['reason']}",
    "identifier-changed": lambda event, after: f"{event['before'][1]} is {after['id']} now",
    "task-opened": lambda event, after: f"{after['kind']}: {after['reason']}",
    "tasks-closed": lambda event, after: f"task {', '.join(map(str, after['tasks']))}",
    "task-assigned": lambda event, after: f"task {after['task']}: {after['owner'] or 'nobody'}",
    "task-decided": lambda event, after: f"task {after['task']}: {after['decision']}",
}
