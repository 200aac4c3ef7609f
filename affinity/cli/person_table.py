"""The golden view of a person as a table: each attribute, and the record that it is taken from."""

from collections.abc import Iterator, Mapping
from typing import Any

from affinity.cli.desk_tables import short
from affinity.cli.show import print_json, print_line, print_table
from affinity.cli.verbs import ExitCode, Output

Plain = Mapping[str, Any]


def show_person(person: Plain, output: Output) -> ExitCode:
    """A person by all sources together."""
    if output.as_json:
        print_json(person)
        return ExitCode.DONE
    ids = ", ".join(short(each["id"]) for each in person["records"])
    print_line(f"One person under {ids}", "bold")
    print_table(("attribute", "value", "from", "of", "fed (UTC)"), list(_rows(person)))
    return ExitCode.DONE


def _rows(person: Plain) -> Iterator[tuple[str, ...]]:
    for name, value in person["demographics"].items():
        origin = person["provenance"][name]
        yield name.replace("_", " "), _told(value), short(origin["id"]), origin["source"], origin["updated"][:19]


def _told(value: Any) -> str:
    """The parts of a value, repetitions apart."""
    if isinstance(value, list):
        return "; ".join(map(_told, value))
    return ", ".join(map(_told, value.values())) if isinstance(value, Mapping) else str(value)
