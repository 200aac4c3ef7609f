"""What stewards read, as tables: tasks, records side by side, the matcher's reasons, statistics."""

from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from affinity.cli.show import print_json, print_line, print_table
from affinity.cli.verbs import ExitCode, Output

Plain = Mapping[str, Any]
AGES = ((timedelta(days=1), "d"), (timedelta(hours=1), "h"), (timedelta(minutes=1), "min"))

DIFFERENT, LACKING = "≠", "?"
STYLES = {DIFFERENT: "red", LACKING: "dim", "": ""}
NO_DIFFERENCE = ("source", "in use")
"""Facts of records that say nothing of their patient."""


def show_tasks(page: Plain, output: Output) -> ExitCode:
    """The open tasks."""
    if output.as_json:
        print_json(page)
        return ExitCode.DONE
    if page["tasks"]:
        columns = ("task", "kind", "one", "other", "reason", "age", "owner")
        print_table(columns, map(_row, page["tasks"]))
    else:
        print_line("Nothing waits.")
    if page["following"]:
        print_line(f"... go on with --after {page['following']}")
    return ExitCode.DONE


def show_task(task: Plain, output: Output) -> ExitCode:
    """One task, as a steward needs it to decide."""
    if output.as_json:
        print_json(task)
        return ExitCode.DONE
    print_line(_state(task), "bold")
    print_line(task["reason"])
    _print_side_by_side(task)
    for record in task["records"]:
        for name, said in (("others", "is one person with"), ("subsumed", "has merged into it")):
            if record[name]:
                print_line(f"{short(record['id'])} {said}: {'; '.join(map(_patient, record[name]))}")
    if task["explanation"]:
        _print_explanation(task["explanation"])
    if task["choices"]:
        seen = f"--version {task['version']} --reason ..."
        print_line(f"affinity pix decide {task['number']} {'|'.join(task['choices'])} {seen}", "bold")
    return ExitCode.DONE


def show_state(task: Plain, output: Output) -> ExitCode:
    """What became of a task."""
    if output.as_json:
        print_json(task)
    else:
        print_line(_state(task), "green")
    return ExitCode.DONE


def show_explanation(explanation: Plain, output: Output) -> ExitCode:
    """Why two ids are one person, or two."""
    if output.as_json:
        print_json(explanation)
    else:
        _print_explanation(explanation)
    return ExitCode.DONE


def show_statistics(statistics: Plain, output: Output) -> ExitCode:
    """Counts by source; what a record lacks as a share of the source's records."""
    if output.as_json:
        print_json(statistics)
        return ExitCode.DONE
    counts = ("records", "persons", "duplicates", "suspected", "overlays", "invalid_national_ids", "placeholder_names")
    lacking = ("birth_date", "sex", "address", "phone", "national_id")
    columns = ("source", *(each.replace("_", " ") for each in counts), *(f"no {_words(each)}" for each in lacking))
    rows = [
        (
            each["source"],
            *(str(each[name]) for name in counts),
            *(_share(each["missing"].get(name), each["records"]) for name in lacking),
            ", ".join(f"{code}: {count}" for code, count in each["refused"].items()),
        )
        for each in statistics["sources"]
    ]
    print_table((*columns, "refused in 30 days"), rows)
    return ExitCode.DONE


def short(id: str) -> str:
    """An id with the name of its authority alone, where it has one."""
    value, _, authority = id.partition("^^^")
    namespace = authority.partition("&")[0]
    return f"{value}^^^{namespace}" if namespace else id


def _row(task: Plain) -> tuple[str, ...]:
    records = [_patient(each) for each in task["records"]]
    one, other = records[0] if records else "", records[1] if len(records) > 1 else ""
    return (str(task["number"]), task["kind"], one, other, task["reason"], _age(task["opened"]), task["owner"] or "")


def _patient(record: Plain) -> str:
    known = (record["family"], record["given"], record["birth_date"], record["sex"])
    return f"{' '.join(each for each in known if each)} [{short(record['id'])}]"


def _state(task: Plain) -> str:
    if task["open"]:
        owner = f"of {task['owner']}" if task["owner"] else "of nobody"
        return f"Task {task['number']} (version {task['version']}): {task['kind']}, open, {owner}"
    return f"Task {task['number']}: {task['kind']}, closed: {task['decision'] or 'it settled itself'}"


def _age(opened: str) -> str:
    age = datetime.now(UTC) - datetime.fromisoformat(opened)
    return next((f"{age // unit} {name}" for unit, name in AGES if age >= unit), "now")


def _print_side_by_side(task: Plain) -> None:
    sides = [(short(each["id"]), _facts(each)) for each in task["records"]]
    if task["earlier"] is not None and len(sides) == 1:
        sides.insert(0, (f"{sides[0][0]} before", dict(_demographics(task["earlier"]))))
    names = dict.fromkeys(name for _, facts in sides for name, said in facts.items() if said)
    rows = [(_words(name), *(facts.get(name, "") for _, facts in sides)) for name in names]
    marks = list(map(_mark, rows))
    marked = [(mark, *row) for mark, row in zip(marks, rows, strict=True)]
    print_table(("", "", *(title for title, _ in sides)), marked, [STYLES[each] for each in marks])


def _facts(record: Plain) -> dict[str, str]:
    marks = {True: "", False: " (wrong check digits)"}
    nationals = [short(each["id"]) + marks[each["valid"]] for each in record["national_ids"]]
    first = {"source": record["source"], "in use": "yes" if record["in_use"] else "no"}
    return first | dict(_demographics(record["demographics"])) | {"national ids": "; ".join(nationals)}


def _demographics(demographics: Plain) -> Iterator[tuple[str, str]]:
    for name, value in demographics.items():
        yield name, _text(value)


def _text(value: Any) -> str:
    if isinstance(value, Mapping):
        return " ".join(text for each in value.values() if (text := _text(each)))
    return "; ".join(map(_text, value)) if isinstance(value, list) else str(value)


def _mark(row: tuple[str, ...]) -> str:
    """Whether both say something, and not the same; or one says nothing."""
    said = row[1:]
    if len(said) < 2 or row[0] in NO_DIFFERENCE or said[0] == said[1]:
        return ""
    return DIFFERENT if all(said) else LACKING


def _print_explanation(explanation: Plain) -> None:
    one = "are one person" if explanation["one_person"] else "are two people"
    print_line(f"{' and '.join(map(short, explanation['ids']))} {one} today.", "bold")
    for id, reason in explanation["linked_by"].items():
        print_line(f"{short(id)} is held by: {reason}")
    if decision := explanation["decision"]:
        what = "one person" if decision["same"] else "two people"
        why = f": {decision['reason']}" if decision["reason"] else ""
        print_line(f"Decided by {decision['by']} ({decision['basis']}) at {decision['at']}: {what}{why}", "bold")
    stored = explanation["stored"]
    if stored:
        _print_verdict(f"The matcher's verdict of {stored['at']}", stored)
    if stored is None or explanation["differs"]:
        _print_verdict("The matcher today", explanation["today"])


def _print_verdict(title: str, verdict: Plain) -> None:
    print_line(f"{title} (weights {verdict['version']})", "bold")
    rows = [(_words(each["field"]), each["level"], f"{each['bits']:+.2f}") for each in verdict["fields"]]
    rows += [(f"cap: {each['cap']}", "", f"{-each['bits']:+.2f}") for each in verdict["caps"]]
    print_table(("field", "agreement", "bits"), rows)
    limits = f"link from {verdict['link']:g}, review from {verdict['review']:g}"
    print_line(f"{verdict['weight']:.2f} bits ({limits}): {verdict['outcome']}")
    print_line(f"speaks against a link: {', '.join(verdict['vetoes']) or 'nothing'}")


def _share(missing: int | None, total: int) -> str:
    return "" if not total or missing is None else f"{100 * missing / total:.1f} %"


def _words(name: str) -> str:
    return name.replace("_", " ")
