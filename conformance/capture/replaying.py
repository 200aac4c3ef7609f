"""A capture played to another system: the same requests with fresh ids and times of now, the answers compared."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from conformance.capture import readable
from conformance.capture.assertions import Renew, renewed, security_ends
from conformance.capture.carried import Carried, moved
from conformance.capture.introduced import introduce
from conformance.capture.learning import learn
from conformance.capture.outcomes import Outcome, outcome
from conformance.capture.recorded import Message, Recorded
from conformance.capture.sending import Answered, Targets
from conformance.exchanges import Wire


@dataclass(frozen=True, slots=True)
class Difference:
    """One aspect of an answer that is another; empty: not there."""

    aspect: str
    captured: str
    replayed: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Replayed:
    """One request that was sent again. ``skipped`` says why it was not."""

    recorded: Recorded
    differences: tuple[Difference, ...] = ()
    skipped: str = ""

    @property
    def equal(self) -> bool:
        """Claim that the answer comes to the same."""
        return not self.differences


def replay(
    exchanges: Sequence[Recorded], targets: Targets, carried: Carried, renew: Renew | None
) -> Iterator[Replayed]:
    """Send each request when the one before is answered, and compare. ``renew`` None: assertions stay as they are."""
    if not exchanges:
        return
    span = exchanges[0].began, exchanges[-1].began
    clock = _Clock(span, datetime.now(UTC) - span[0])
    for each in exchanges:
        yield _replay(each, targets, carried, renew, clock)


@dataclass(frozen=True, slots=True)
class _Clock:
    """When the capture was made, and how much later it is now."""

    span: tuple[datetime, datetime]
    later: timedelta

    def moved(self, text: bytes) -> bytes:
        """Times of exchanges."""
        return moved(text, self.span, self.later)


def _replay(recorded: Recorded, targets: Targets, carried: Carried, renew: Renew | None, clock: _Clock) -> Replayed:
    why_not = _unfit(recorded, targets)
    if why_not:
        return Replayed(recorded=recorded, skipped=why_not)
    introduce(recorded, carried)
    answered = _sent(recorded, _rewritten(recorded, carried, renew, clock), targets)
    learn(recorded.answer, answered.message, carried)
    before = outcome(recorded.answer, recorded.failure, carried)
    after = outcome(answered.message, answered.failure, lambda text: text)
    return Replayed(recorded=recorded, differences=tuple(_differences(before, after)))


def _unfit(recorded: Recorded, targets: Targets) -> str:
    if recorded.answer is None and recorded.failure:
        return f"the captured exchange is not whole: {recorded.failure}"
    if recorded.wire is Wire.MLLP:
        return "" if targets.mllp is not None else "there is no MLLP address to send it to"
    return "" if targets.url(recorded.transaction, recorded.request.head) else "there is no URL to send it to"


def _sent(recorded: Recorded, message: Message, targets: Targets) -> Answered:
    if recorded.wire is Wire.MLLP:
        return targets.send(message, answered=recorded.answer is not None)
    url = targets.url(recorded.transaction, recorded.request.head)
    assert url is not None
    return targets.post(url, message)


def _rewritten(recorded: Recorded, carried: Carried, renew: Renew | None, clock: _Clock) -> Message:
    """The request with ids and times of this replay; its documents stay as they are."""

    def text(piece: bytes) -> bytes:
        new = carried(piece)
        start, end = (readable.xml_span(recorded.request, new) or (0, 0)) if recorded.request.head else (0, 0)
        return new[:start] + _vouched(new[start:end], recorded, renew, clock) + clock.moved(new[end:])

    return recorded.request.changed(head=recorded.request.head, text=text, blob=lambda each: each.blob)


def _vouched(envelope: bytes, recorded: Recorded, renew: Renew | None, clock: _Clock) -> bytes:
    """Whoever reads an assertion looks at the clock: the times of its header are those of this very request."""
    end = security_ends(envelope)
    around = recorded.began - timedelta(hours=1), recorded.began + timedelta(hours=1)
    now = moved(envelope[:end], around, datetime.now(UTC) - recorded.began) + clock.moved(envelope[end:])
    return renewed(now, renew, broken=recorded.signature == "broken") if renew and end else now


def _differences(before: Outcome, after: Outcome) -> Iterator[Difference]:
    for aspect in dict.fromkeys((*before, *after)):
        if before.get(aspect) != after.get(aspect):
            yield Difference(aspect, before.get(aspect, ""), after.get(aspect, ""))
