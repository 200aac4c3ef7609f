"""Commands that work on the data of a node: each leaves a record of who ran it (console use)."""

import getpass
from pathlib import Path

from typer._click.globals import get_current_context  # typer has its own copy of click, and no public name for this

from affinity.auditing import this_node
from affinity.database import Database
from affinity.node import utc_now
from affinity.settings import Settings
from atna.events import console_used, exported
from atna.trail import AuditTrail


def operator() -> str:
    """Who works at this console, by their account."""
    return f"{getpass.getuser()}@console"


def account() -> str:
    """The same as the actor of an event."""
    return f"operator|{getpass.getuser()}"


def command() -> str:
    """Which command runs, without its arguments: they may hold passwords."""
    context = get_current_context(silent=True)
    return context.command_path if context else "a program"


def note_use(settings: Settings, database: Database) -> None:
    """Record that this command works on the data. Raises AuditUnavailable."""
    trail = _trail(settings, database)
    trail.record(console_used(trail.node, utc_now(), operator(), command()))


def note_export(settings: Settings, database: Database, file: Path) -> None:
    """Record that data of patients leave the node in a file, before the first of them does. Raises AuditUnavailable."""
    trail = _trail(settings, database)
    trail.record(exported(trail.node, utc_now(), operator(), command(), str(file)))


def _trail(settings: Settings, database: Database) -> AuditTrail:
    return AuditTrail(database=database, node=this_node(settings.audit.source_id))
