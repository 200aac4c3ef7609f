"""From what was overheard to what is kept: cut, recognised, judged; one after the other, beside the relay."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field

import structlog

from affinity.catalogue import TRANSACTIONS
from conformance.capture.cutting import cut
from conformance.capture.judging import judge, signature
from conformance.capture.recorded import Message, Recorded
from conformance.capture.relay import Door
from conformance.capture.spool import Spool
from conformance.capture.taps import Heard, Overheard
from conformance.validating import Report
from conformance.validators.context import Context

log = structlog.get_logger()

WAITING = 32
"""How many exchanges may wait to be judged before the connections wait, too."""
ACTORS = {each.id: (each.initiator.value, each.responder.value) for each in TRANSACTIONS}


@dataclass(frozen=True, slots=True, kw_only=True)
class Judged:
    """One exchange, and what was found in each of its messages; None: it is of no kind that is validated."""

    recorded: Recorded
    request: Report | None
    answer: Report | None

    @property
    def errors(self) -> int:
        """How many findings break a SHALL."""
        return sum(each.errors for each in (self.request, self.answer) if each)


@dataclass(slots=True)
class Recording:
    """Takes exchanges from the relay; ``seen`` is called with each as soon as it was judged."""

    context: Context
    seen: Callable[[Judged], None]
    spool: Spool = field(default_factory=Spool)
    exchanges: list[Recorded] = field(default_factory=list)
    errors: int = 0
    _queue: "asyncio.Queue[tuple[Door, int, Overheard]]" = field(default_factory=lambda: asyncio.Queue(WAITING))

    async def told(self, door: Door, connection: int, overheard: Overheard) -> None:
        """An exchange is over: note it, or wait until there is room."""
        await self._queue.put((door, connection, overheard))

    async def work(self) -> None:
        """Judge what comes, for ever."""
        while True:
            judged = await asyncio.to_thread(self._judge, *await self._queue.get())
            self.exchanges.append(judged.recorded)
            self.errors += judged.errors
            self.seen(judged)
            self._queue.task_done()

    async def finish(self) -> None:
        """Wait until all is judged."""
        await self._queue.join()

    def _judge(self, door: Door, connection: int, overheard: Overheard) -> Judged:
        request = self._kept(overheard.request)
        answer = self._kept(overheard.answer) if overheard.answer else None
        report = self._report(request)
        transaction = report.transaction if report else None
        initiator, responder = ACTORS.get(transaction or "", ("client", "server"))
        recorded = Recorded(
            number=len(self.exchanges) + 1,
            wire=door.wire,
            transaction=transaction,
            initiator=initiator,
            responder=responder,
            endpoint=door.number,
            connection=connection,
            began=overheard.began,
            seconds=overheard.seconds,
            request=request,
            answer=answer,
            failure=overheard.failure,
            signature=signature(request),
        )
        return Judged(recorded=recorded, request=report, answer=self._report(answer) if answer else None)

    def _report(self, message: Message) -> Report | None:
        """A defect of a validator must not end the capture of what others say."""
        try:
            return judge(message, self.context)
        except Exception as error:
            log.error("a captured message could not be judged", error=type(error).__name__)
            return None

    def _kept(self, heard: Heard) -> Message:
        try:
            return cut(heard.head, heard.body, self.spool)
        finally:
            heard.body.close()
