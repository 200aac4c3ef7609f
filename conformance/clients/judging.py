"""Judges of steps, made of smaller claims: which request is meant, and what must hold of it."""

from collections.abc import Callable, Iterator

from conformance.clients.answers import refusal
from conformance.clients.steps import Judge, Judged, Situation, Verdict
from conformance.clients.world import World
from conformance.reports import sentence, sources
from conformance.simulators.simulator import DoorName

Fits = Callable[[Judged], bool]
"""Claim that a request is one that the step asks for."""
Demand = Callable[[Judged, World], str]
"""What is wrong with a request; empty: nothing."""
Comparison = Callable[[Judged, Judged], str]
"""What is wrong with a second request after the first; empty: nothing."""


def of(*names: str) -> Fits:
    """Claim that a request is of one of these transactions."""
    return lambda each: each.name in names


def accepted(each: Judged, _: World) -> str:
    """The simulator has accepted it."""
    why = refusal(each.seen.exchange)
    return f"it was refused: {why}" if why else ""


def sent(fits: Fits, *demands: Demand) -> Judge:
    """Met by the first request that fits, if it is sound and all ``demands`` hold of it."""

    def judge(situation: Situation) -> Verdict | None:
        found = next(filter(fits, situation.judged), None)
        if found is None:
            return None
        return _verdict((found,), [*unsound(found), *(each(found, situation.world) for each in demands)])

    return judge


def sent_again(fits: Fits, compare: Comparison, *demands: Demand) -> Judge:
    """Met by the second request that fits, the first of which met a fault, if it is what ``compare`` wants after it."""

    def judge(situation: Situation) -> Verdict | None:
        found = tuple(filter(fits, situation.judged))[:2]
        wrong = [complaint for each in found for complaint in unsound(each)]
        if wrong:
            return _verdict(found, wrong)
        if len(found) < 2:
            return None
        first, second = found
        return _verdict(found, [compare(first, second), *(each(second, situation.world) for each in demands)])

    return judge


def declined(door: DoorName) -> Judge:
    """Met by a handshake that the client ends; broken if it sends anything through that door."""

    def judge(situation: Situation) -> Verdict | None:
        through = tuple(each for each in situation.judged if each.seen.door == door)
        if through:
            return _verdict(through[:1], ["it sent a request over a connection that it had to refuse"])
        refused = any(each.door == door for each in situation.handshakes)
        return Verdict(met=True) if refused else None

    return judge


def unsound(each: Judged) -> Iterator[str]:
    """Every SHALL that the validators find broken."""
    for finding in each.errors:
        where = f" at {finding.location}" if finding.location else ""
        told = sources(finding)
        yield f"{sentence(finding)}{where}" + (f" ({told})" if told else "")


def _verdict(about: tuple[Judged, ...], complaints: list[str]) -> Verdict:
    wrong = list(dict.fromkeys(filter(None, complaints)))
    return Verdict(met=not wrong, message="\n".join(wrong), exchanges=tuple(each.number for each in about))
