"""``affinity config``: every setting, what it is, and who says so."""

import os
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from enum import Enum
from pathlib import Path
from typing import Any

from affinity.cli.serving import NodeOptions, overrides, read_settings
from affinity.cli.verbs import ExitCode, Output, verb

EXAMPLES = r"""[bold]Examples[/bold]
  affinity config --config affinity.toml
      what a server started with this file would do

  AFFINITY__LISTEN__HTTP_PORT=9000 affinity config --json | jq '.\[] | select(.source != "default")'
      what differs from the defaults

An option counts more than an environment variable, a variable more than the file. Nested keys are sections in the
file (\[listen] http_port = 9000) and are joined by two underscores in a variable. Passwords are not shown."""

PREFIX = "AFFINITY__"
NO_STEWARDS = "nobody: /pix/stewardship is closed"


@dataclass(frozen=True, slots=True, kw_only=True)
class Setting:
    """One key: its value, who said it (option, environment, file, default), and the default."""

    key: str
    value: Any
    source: str
    default: Any


@verb
def config(node: NodeOptions, output: Output) -> ExitCode:
    """Show every setting of a server: its value, who says so, and its default."""
    from affinity.cli.show import print_json, print_table
    from affinity.settings import Settings

    written = tomllib.loads(node.config.read_text(encoding="utf-8")) if node.config else {}
    chosen, defaults = _flat(read_settings(node)), _flat(Settings.model_construct())
    said = {"option": _keys(overrides(node)), "file": _keys(written), "environment": set(_environment(chosen))}
    settings = [
        Setting(key=key, value=value, source=_source(key, said), default=defaults.get(key))
        for key, value in chosen.items()
    ]
    if output.as_json:
        print_json([asdict(each) for each in settings])
    else:
        rows = ((each.key, _text(each.value), each.source, _text(each.default)) for each in settings)
        styles = ["" if each.source == "default" else "bold" for each in settings]
        print_table(("setting", "value", "said by", "default"), rows, styles)
    return ExitCode.DONE


def _flat(model: Any, prefix: str = "") -> dict[str, Any]:
    """Every key with its value, sections joined by dots."""
    from pydantic import BaseModel

    found: dict[str, Any] = {}
    for name in type(model).model_fields:
        value = getattr(model, name)
        nested = isinstance(value, BaseModel)
        found |= _flat(value, f"{prefix}{name}.") if nested else {f"{prefix}{name}": _plain(name, value)}
    return found


def _plain(name: str, value: Any) -> Any:
    if name == "database_url" and value:
        return _masked(value)
    if name == "stewards":
        # Their names alone; and that the interface is closed is worth a word.
        return list(value) or NO_STEWARDS
    match value:
        case Path():
            return str(value)
        case Enum():
            return value.value
        case tuple():
            return list(value)
        case Mapping():
            return {key: _entry(each) for key, each in value.items()}
        case None | bool() | int() | str():
            return value
    return repr(value)


def _entry(value: Any) -> Any:
    """One entry of a table: a section of its own by what differs from the defaults."""
    from pydantic import BaseModel

    return value.model_dump(mode="json", exclude_defaults=True) if isinstance(value, BaseModel) else str(value)


def _masked(url: str) -> str:
    from sqlalchemy.engine import make_url

    return make_url(url).render_as_string(hide_password=True)


def _keys(tree: Mapping[str, Any], prefix: str = "") -> set[str]:
    found: set[str] = set()
    for name, value in tree.items():
        found.add(f"{prefix}{name}")
        if isinstance(value, Mapping):
            found |= _keys(value, f"{prefix}{name}.")
    return found


def _environment(keys: Mapping[str, Any]) -> Iterator[str]:
    """The keys that a variable sets, its own or that of its section."""
    variables = {name.upper() for name in os.environ}
    for key in keys:
        steps = key.upper().split(".")
        own = PREFIX + "__".join(steps)
        sections = (PREFIX + "__".join(steps[:depth]) for depth in range(1, len(steps)))
        if any(each == own or each.startswith(f"{own}__") for each in variables) or variables & set(sections):
            yield key


def _source(key: str, said: Mapping[str, set[str]]) -> str:
    return next((source for source in ("option", "environment", "file") if key in said[source]), "default")


def _text(value: Any) -> str:
    return "" if value is None else str(value)
