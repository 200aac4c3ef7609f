"""Patients with documents, told to the node through its own doors before the day begins."""

from collections.abc import Mapping
from itertools import islice

from benchmarks import messages
from benchmarks.day.clients import Target
from benchmarks.day.open_loop import Due, Outcome, play
from benchmarks.day.traffic import DOCUMENT, SOAP, V2
from benchmarks.documents_each import documents_each
from benchmarks.load import WrongAnswer
from ihe.identifiers import new_oid

WITHIN = 300.0
"""Seconds in which all of it must be answered."""
AT_ONCE = 50
"""Most documents in one submission."""


def admit(target: Target, header: bytes, patients: int, seed: int) -> Mapping[str, tuple[str, ...]]:
    """Feed patients and submit what they have; the uniqueIds by patient. WrongAnswer if anything is refused."""
    run = new_oid().rpartition(".")[2][-10:]
    have = {
        f"DAY-{run}-{number}": tuple(new_oid() for _ in range(count))
        for number, count in enumerate(islice(documents_each(seed), patients))
    }
    _all_good(target, [Due(at=0, kind="", door="mllp", request=messages.announcement(id), verdict=V2) for id in have])
    _all_good(target, [_submission(id, some, header) for id, ids in have.items() for some in _batches(ids)])
    return have


def _batches(ids: tuple[str, ...]) -> list[tuple[str, ...]]:
    return [ids[start : start + AT_ONCE] for start in range(0, len(ids), AT_ONCE)]


def _submission(patient: str, ids: tuple[str, ...], header: bytes) -> Due:
    contents = [id.encode().ljust(DOCUMENT, b".") for id in ids]
    request = messages.provide(patient, contents, ids, header)
    return Due(at=0, kind="", door="http", request=request, verdict=SOAP)


def _all_good(target: Target, due: list[Due]) -> None:
    def demand(outcome: Outcome) -> None:
        if outcome.error is not None:
            raise WrongAnswer(f"while patients and documents were made: {outcome.error}")

    play(due, target.open(2), WITHIN, demand)
