"""One capture from its beginning to its end: doors open, exchanges are recorded, then the doors close."""

import asyncio
import signal
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass

from conformance.capture.recording import Judged, Recording
from conformance.capture.relay import Door, Relay
from conformance.validators.context import Context


@dataclass(frozen=True, slots=True, kw_only=True)
class Until:
    """When a capture ends by itself, if it does; Ctrl-C and SIGTERM end it always."""

    seconds: float | None = None
    count: int | None = None


def capture(
    doors: Sequence[Door],
    context: Context,
    until: Until,
    *,
    opened: Callable[[Door, int], None],
    seen: Callable[[Judged], None],
) -> Recording:
    """Relay and record until the end. ``opened`` is told the port of each door, ``seen`` each exchange.

    OSError: a door cannot be opened.
    """
    return asyncio.run(_capture(doors, context, until, opened, seen))


async def _capture(
    doors: Sequence[Door],
    context: Context,
    until: Until,
    opened: Callable[[Door, int], None],
    seen: Callable[[Judged], None],
) -> Recording:
    over = asyncio.Event()

    def note(judged: Judged) -> None:
        seen(judged)
        if until.count is not None and judged.recorded.number >= until.count:
            over.set()

    recording = Recording(context, note)
    relay = Relay(recording.told)
    working = asyncio.ensure_future(recording.work())
    try:
        for door in doors:
            opened(door, await relay.open(door))
        await _wait(over, working, until.seconds)
    finally:
        await relay.close()
        await recording.finish() if not working.done() else working.result()
        working.cancel()
    return recording


async def _wait(over: asyncio.Event, working: "asyncio.Task[None]", seconds: float | None) -> None:
    """Until the count, the time, a signal; or until recording fails, which must not pass unnoticed."""
    loop = asyncio.get_running_loop()
    for each in (signal.SIGINT, signal.SIGTERM):
        with suppress(ValueError, RuntimeError):  # signals are for the main thread
            loop.add_signal_handler(each, over.set)
    waiting = asyncio.ensure_future(over.wait())
    await asyncio.wait((waiting, working), timeout=seconds, return_when=asyncio.FIRST_COMPLETED)
    waiting.cancel()
