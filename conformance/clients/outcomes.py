"""What came of a course, in the form of every run: a result for each step, and for the messages of each transaction."""

from collections.abc import Iterator
from datetime import datetime
from importlib.metadata import version

from conformance.clients.course import Course, Stand, Standing
from conformance.clients.judging import unsound
from conformance.clients.messages_judged import checked
from conformance.clients.steps import Judged
from conformance.exchanges import Transcript
from conformance.results import Outcome, Result, Run
from pix.v3_elements import name_of

MODULE = "conformance.clients"
"""Where the suites for clients are."""
OUTCOMES = {
    Standing.MET: Outcome.PASSED,
    Standing.BROKEN: Outcome.FAILED,
    Standing.WAITING: Outcome.WAITING,
    Standing.NOT_CLAIMED: Outcome.NOT_CLAIMED,
}


def run_of(course: Course, transcript: Transcript, system: str, began: datetime, seconds: float) -> Run:
    """All that came of it."""
    return Run(
        system=system,
        version=version("affinity-ihe"),
        began=began,
        seconds=seconds,
        seed=0,
        results=tuple(results(course)),
        exchanges=tuple(transcript),
    )


def is_done(run: Run) -> bool:
    """Claim that no step is waited for, that something passed and nothing failed."""
    return run.passed and not run.counts[Outcome.WAITING]


def results(course: Course) -> Iterator[Result]:
    """First the steps, then what the validators say of all messages, transaction by transaction."""
    judged = tuple(course.judged)
    for stand in course.snapshot():
        yield _of_step(course, stand, judged)
    for name in dict.fromkeys(each.name for each in judged if each.name):
        yield from _of_messages(course, name, [each for each in judged if each.name == name])


def _of_step(course: Course, stand: Stand, judged: tuple[Judged, ...]) -> Result:
    about = [each for each in judged if each.number in stand.exchanges]
    return Result(
        suite=course.suite.name,
        module=MODULE,
        name=stand.step.name,
        sentence=stand.step.ask.format_map(_Words(course.world.words)),
        covers=stand.step.covers,
        outcome=OUTCOMES[stand.standing],
        seconds=stand.seconds,
        message=stand.message,
        exchanges=stand.exchanges,
        broken=_broken(about),
    )


def _of_messages(course: Course, name: str, judged: list[Judged]) -> Iterator[Result]:
    """What was found broken, and what else the same rules have looked at in every message and found kept."""
    wrong = [each for each in judged if each.errors]
    broken = _broken(wrong)
    if wrong:
        told = "\n".join(f"exchange {each.number}: {complaint}" for each in wrong for complaint in unsound(each))
        yield _messages(course, name, Outcome.FAILED, wrong, broken, told)
    kept = tuple(sorted(checked(name, map(_payload, judged)) - set(broken)))
    yield _messages(course, name, Outcome.PASSED, judged, kept, "")


def _messages(
    course: Course, name: str, outcome: Outcome, judged: list[Judged], covers: tuple[str, ...], message: str
) -> Result:
    is_wrong = outcome is Outcome.FAILED
    return Result(
        suite=course.suite.name,
        module=MODULE,
        name=f"messages-{name}-{'unsound' if is_wrong else 'sound'}",
        sentence=f"Messages of {name} that break a SHALL" if is_wrong else f"What all messages of {name} keep",
        covers=covers,
        outcome=outcome,
        seconds=0.0,
        message=message,
        exchanges=tuple(each.number for each in judged),
        broken=covers if is_wrong else (),
    )


def _payload(each: Judged) -> str:
    """The name of what stands in the Body; of HL7 v2 an empty text."""
    return name_of(body) if (body := each.seen.read.body) is not None else ""


def _broken(judged: list[Judged]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(id for each in judged for finding in each.errors for id in finding.assertions))


class _Words(dict[str, str]):
    """What stands in braces and is no word of the world, such as the address of a door, stays as it is."""

    def __missing__(self, name: str) -> str:
        return f"{{{name}}}"
