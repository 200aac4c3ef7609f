"""Receiving a large body, through worker threads to the spool; a fast sender with a slow disk is held back."""

from collections.abc import Callable

from twisted.python.failure import Failure

from soap.faults import busy
from soap.mtom import PackageReader
from soap.pieces import together
from soap.reception import Circumstances, Producer, Received, opened, remove, too_large, unkept

TOGETHER = 128 * 1024
"""Bytes of a fast sender that are taken at once: more would be held several times over."""
SLOW = 8 * 1024
"""A piece that is shorter was all that there was: its sender is slower than we are, and nothing waits for more."""


class Spooled:
    """A body of any size: one worker at a time takes what has arrived; ``limits.queue`` bytes may wait."""

    def __init__(self, reader: PackageReader, producer: Producer, site: Circumstances) -> None:
        self.refused: Failure | None = None
        self._reader = reader
        self._producer = producer
        self._limits = site.limits
        self._in_thread = site.in_thread
        self._memory = site.memory
        self._charged = 0
        self._waiting: list[bytes] = []
        self._queued = self._arrived = 0
        self._working = self._paused = self._discarded = self._thrown_away = False
        self._then: Callable[[], None] | None = None

    def data(self, chunk: bytes) -> None:
        """Queue it, and hold the sender back while too much is queued."""
        if self.refused is not None or self._discarded:
            return
        self._arrived += len(chunk)
        if self._arrived > self._limits.body:
            self._refuse(Failure(too_large(self._limits)))
            return
        self._waiting.append(chunk)
        self._queued += len(chunk)
        if self._queued > self._limits.queue and not self._paused:
            self._paused = True
            self._producer.pauseProducing()
        # The first piece is looked at when it comes: there may be no use in more.
        if self._queued >= TOGETHER or len(chunk) < SLOW or self._arrived == len(chunk):
            self._work()

    def end(self, then: Callable[[], None]) -> None:
        """Wait for the worker that takes what has arrived."""
        self._then = then
        self._work()

    def open(self) -> Received:
        """Parse the envelope."""
        if self.refused is not None:
            self.refused.raiseException()
        return opened(self._reader.close(), self._limits)

    def throw_away(self) -> None:
        """Remove the parts that no store has adopted."""
        self._thrown_away = True
        remove(self._reader)

    def discard(self) -> None:
        """Drop what waits; parts are thrown away once no worker touches them."""
        if self._discarded:
            return
        self._discarded = True
        self._waiting.clear()
        self._release()
        if not self._working:
            self._leave_nothing()

    def _work(self) -> None:
        if self._working:
            return
        if self._waiting:
            chunks, self._waiting = self._waiting, []
            self._working = True
            self._in_thread(self._feed, chunks).addCallbacks(self._fed, self._failed)
        elif self._then is not None:
            then, self._then = self._then, None
            then()

    def _feed(self, chunks: list[bytes]) -> int:
        for some in together(chunks, TOGETHER):
            self._reader.feed(some)
        return sum(map(len, chunks))

    def _fed(self, size: int) -> None:
        self._working = False
        self._queued -= size
        self._resume()
        if self._discarded:
            self._leave_nothing()
            return
        self._charge()
        self._work()

    def _charge(self) -> None:
        """Count the envelope as far as it has come; many long ones at once are refused before memory is short."""
        grown = self._reader.cost - self._charged
        self._charged += grown
        self._memory.taken += grown
        if grown and self._memory.taken > self._limits.envelopes:
            self._release()
            self._reader.forget()
            self._refuse(Failure(busy("too many long requests are under way")))

    def _release(self) -> None:
        self._memory.taken -= self._charged
        self._charged = 0

    def _leave_nothing(self) -> None:
        self._reader.forget()
        if self._reader.spooled and not self._thrown_away:
            self._in_thread(self._reader.discard)

    def _failed(self, failure: Failure) -> None:
        self._working = False
        if self._discarded:
            self._leave_nothing()
            return
        self._refuse(Failure(unkept(failure.value)) if isinstance(failure.value, OSError) else failure)

    def _refuse(self, failure: Failure) -> None:
        self.refused = failure
        self._waiting.clear()
        self._queued = 0
        self._resume()
        self._work()

    def _resume(self) -> None:
        if self._paused and self._queued <= self._limits.queue // 2:
            self._paused = False
            self._producer.resumeProducing()
