"""``affinity db scrub``, ``sweep``, ``new-key``, ``rewrap``: the document store of a node, which may be running."""

import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Annotated

import typer

from affinity.cli.places import Place
from affinity.cli.verbs import ExitCode, Output, Stopped, verb

if TYPE_CHECKING:
    from affinity.database import Database
    from affinity.scrubbing import Round
    from affinity.settings import Settings

SCRUB_EXAMPLES = r"""[bold]Examples[/bold]
  affinity db scrub --config affinity.toml --rate 50
      read every document again, 50 a second; what is damaged or missing is named by its uniqueId

  affinity db scrub --config affinity.toml --json | jq .damaged
      for a program

Stopped, it goes on where it was. Exit code 1: something is damaged; orphans are only counted."""
SWEEP_EXAMPLES = r"""[bold]Examples[/bold]
  affinity db sweep --config affinity.toml
      delete bytes that no document refers to and that are older than documents.orphan_hours; servers do this daily"""
NEW_KEY_EXAMPLES = r"""[bold]Examples[/bold]
  affinity db new-key --config affinity.toml
      seal new documents under a new key, also in servers that run; back up the key file, then rewrap"""
REWRAP_EXAMPLES = r"""[bold]Examples[/bold]
  affinity db rewrap --config affinity.toml --rate 100
      seal the data keys of all documents under the first key of the key file, while servers run

  affinity db rewrap --config affinity.toml --drop-unused
      with every server stopped: afterwards forget the keys that no document needs any more

Stopped, it goes on where it was. Exit code 1: some documents could not be opened; then no key is forgotten."""

MARK = "rewrap.mark"
"""File of the data directory: how far a rewrapping is that was stopped."""

Rate = Annotated[float | None, typer.Option(help="Documents a second at most.", min=0.01)]
DropUnused = Annotated[bool, typer.Option("--drop-unused", help="Forget the keys that are needed no more.")]


@verb
def scrub(place: Place, output: Output, rate: Rate = None) -> ExitCode:
    """Read every document again and compare it with its digest; count what no row refers to."""
    from dataclasses import asdict

    from affinity.cli.show import print_json
    from affinity.offline import regardless

    settings = place.settings()
    with regardless(settings) as database:
        done = _scrubbed(settings, database, paced(rate))
    if output.as_json:
        print_json({key: value for key, value in asdict(done).items() if key != "after"})
    else:
        _tell(done)
    return ExitCode.REFUSED if done.damaged else ExitCode.DONE


@verb
def sweep(place: Place, output: Output) -> None:
    """Delete the bytes that no document refers to."""
    from datetime import timedelta

    from affinity.cli.show import print_json, print_line
    from affinity.document_store import open_store
    from affinity.node import utc_now
    from affinity.offline import regardless
    from affinity.orphans import remove_orphans

    settings = place.settings()
    with regardless(settings) as database:
        before = utc_now() - timedelta(hours=settings.documents.orphan_hours)
        removed = remove_orphans(database, open_store(settings), before).removed
    if output.as_json:
        print_json({"removed": removed})
    else:
        print_line(f"{removed} orphans deleted.")


@verb
def new_key(place: Place, output: Output) -> None:
    """Make a new key for new documents; the others stay, for what they sealed."""
    from affinity.cli.show import print_json, print_line
    from affinity.document_store import key_file
    from affinity.offline import regardless
    from xds.key_file import add_key

    settings = place.settings()
    with regardless(settings):
        ring = add_key(key_file(settings))
    if output.as_json:
        print_json({"file": str(key_file(settings)), "keys": list(ring.ids())})
    else:
        print_line(f"{key_file(settings)}: new documents are sealed under {ring.ids()[0]}. Back up the file now.")


@verb
def rewrap(place: Place, output: Output, rate: Rate = None, drop_unused: DropUnused = False) -> ExitCode:
    """Seal the data keys of old documents under the newest key."""
    from affinity.cli.show import print_json, print_line
    from affinity.offline import at_rest, regardless

    settings = place.settings()
    with (at_rest if drop_unused else regardless)(settings) as database:
        if drop_unused:
            (settings.data / MARK).unlink(missing_ok=True)  # all of them are looked at now
        seen, rewrapped, failed = _rewrapped(settings, database, paced(rate))
        dropped = _drop(settings) if drop_unused and not failed else []
    if output.as_json:
        print_json({"documents": seen, "rewrapped": rewrapped, "failed": failed, "dropped_keys": dropped})
        return ExitCode.REFUSED if failed else ExitCode.DONE
    print_line(f"{seen} documents, {rewrapped} of them sealed anew.")
    for each in failed:
        print_line(f"{each} cannot be opened: affinity db scrub names its documents", "red")
    for each in dropped:
        print_line(f"The key {each} is forgotten.")
    return ExitCode.REFUSED if failed else ExitCode.DONE


def paced(rate: float | None) -> Callable[[], None]:
    """Waits so that it returns at most ``rate`` times a second."""
    began, turns = time.monotonic(), 0

    def pause() -> None:
        nonlocal turns
        turns += 1
        if rate is not None:
            time.sleep(max(0.0, began + turns / rate - time.monotonic()))

    return pause


def _scrubbed(settings: "Settings", database: "Database", pause: Callable[[], None]) -> "Round":
    from affinity.cli.show import counted
    from affinity.document_chores import scrub_of
    from affinity.document_store import open_store
    from xds import repository_store
    from xds.documents import StoreUnavailable

    round_of = scrub_of(settings, database, open_store(settings))
    total, _ = database.read(repository_store.count_retrievable)
    try:
        with counted("documents", total) as reach:
            while (done := round_of.step(1)).finished_at is None:
                reach(done.checked)
                pause()
            return done
    except StoreUnavailable as error:
        raise _away(error) from error


def _rewrapped(settings: "Settings", database: "Database", pause: Callable[[], None]) -> tuple[int, int, list[str]]:
    from affinity.cli.show import counted
    from affinity.document_store import open_store
    from affinity.rewrapping import Rewrapped, rewrap_all
    from xds import repository_store
    from xds.documents import StoreUnavailable

    total, _ = database.read(repository_store.count_retrievable)
    try:
        with counted("documents", total) as reach:

            def reached(done: Rewrapped) -> None:
                reach(done.seen)
                pause()

            done = rewrap_all(database, open_store(settings), settings.data / MARK, reached)
    except StoreUnavailable as error:
        raise _away(error) from error
    return done.seen, done.rewrapped, list(done.failed)


def _drop(settings: "Settings") -> list[str]:
    """Every document was just seen to be sealed under the first key, and nobody writes: no other is needed."""
    from affinity.document_store import key_file
    from xds.key_file import keep_keys, load_keys

    before = load_keys(key_file(settings)).ids()
    kept = keep_keys(key_file(settings), ()).ids()
    return [each for each in before if each not in kept]


def _away(error: Exception) -> Stopped:
    return Stopped(ExitCode.UNREACHABLE, f"the document store does not answer: {error}; run this again to go on")


def _tell(done: "Round") -> None:
    from affinity.cli.show import print_line, print_table

    if done.findings:
        rows = [(each.sha256, ", ".join(each.unique_ids), each.what) for each in done.findings]
        print_table(("SHA-256", "uniqueId", "what"), rows, ["red"] * len(rows))
    print_line(f"{done.checked} documents of {done.size} bytes read: {done.damaged} damaged, {done.orphans} orphans.")
