"""What a change would work out while all other writers wait, worked out beforehand: of a patient nobody knew yet.

It is a hint and no truth: it is of use only if the record is to say exactly what it was made of, and makes nothing
different. ``pix load`` has it made by a second process.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from pix import matricule
from pix.matching.blocking import lookup_keys, stored_keys
from pix.matching.subject import Subject, subject
from pix.model import Demographics, Feed
from pix.snapshot import known, to_json
from pix.state import NationalId, State, linking_ids
from pix.store_blocking import seen
from pix.tokens import Token, tokens


@dataclass(frozen=True, slots=True)
class Rendering:
    """One patient as JSON, as the matcher sees it, and by what it is found. ``nationals`` are those that may link."""

    nationals: frozenset[tuple[str, str]]
    known: Mapping[str, Any]
    text: str
    subject: Subject
    stored: frozenset[int]
    lookup: frozenset[int]
    tokens: tuple[tuple[str, str, str, str], ...]

    def use(self, state: State) -> None:
        """Spare the next steps of this thread's change the work, if the state is what this was made of."""
        if linking_ids(state.nationals) != self.nationals:
            return
        known.told(state.demographics, self.known)
        to_json.told(state.demographics, self.text)
        seen.told(state, self.subject)
        stored_keys.told(self.subject, self.stored)
        lookup_keys.told(self.subject, self.lookup)
        tokens.told(state.demographics, frozenset(map(Token._make, self.tokens)))


def render(feed: Feed, is_national_id: Callable[[str], bool] = matricule.is_valid) -> Rendering:
    """What ``feed`` says of a patient nobody knew, in all forms in which it is stored."""
    said, nationals = feed.demographics, _linking(feed, is_national_id)
    seen_as = subject(said, nationals)
    return Rendering(
        nationals=nationals,
        known=known(said),
        text=to_json(said),
        subject=seen_as,
        stored=stored_keys(seen_as),
        lookup=lookup_keys(seen_as),
        tokens=_plain(said),
    )


def _linking(feed: Feed, is_national_id: Callable[[str], bool]) -> frozenset[tuple[str, str]]:
    listed = [each for each in dict.fromkeys(feed.identifiers) if each.authority.national]
    return linking_ids(
        tuple(
            NationalId(
                authority=each.authority.oid, id=each.id, type_code=each.type_code, valid=is_national_id(each.id)
            )
            for each in listed
        )
    )


def _plain(said: Demographics) -> tuple[tuple[str, str, str, str], ...]:
    """Tuples are sent to another process faster than what has a name."""
    return tuple((each.kind, each.value, each.beside, each.birth) for each in tokens(said))
