"""What can happen in the patient index. The log of these events is the truth; ``pix.projection`` makes tables of it.

Of each event the fields ``record`` and ``other`` are columns of the log, ``before`` is what was so until then, and all
others together are what is so after it. Old events are read by today's code: a field that is added needs a default.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from typing import Any, ClassVar

from ihe.identifiers import PatientKey
from pix.decisions import Basis, Decision, Pair
from pix.state import NationalId, State


@dataclass(frozen=True, slots=True, kw_only=True)
class Named:
    """A link named an id that no feed has announced yet."""

    type: ClassVar[str] = "named"
    record: PatientKey
    authority: str
    id: str
    type_code: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Announced:
    """The first feed of a record. ``alone``: nothing connects it with others, so it is a person by itself at once."""

    type: ClassVar[str] = "announced"
    record: PatientKey
    authority: str
    id: str
    type_code: str = ""
    sent: str = ""
    alone: bool
    state: State


@dataclass(frozen=True, slots=True, kw_only=True)
class Updated:
    """A later feed of a record; ``before`` is None where nothing changed."""

    type: ClassVar[str] = "updated"
    record: PatientKey
    authority: str
    id: str
    sent: str = ""
    before: State | None
    state: State


@dataclass(frozen=True, slots=True, kw_only=True)
class NationalIdsChanged:
    """A source exchanged a national id of a record for another."""

    type: ClassVar[str] = "national-ids-changed"
    record: PatientKey
    before: tuple[NationalId, ...]
    nationals: tuple[NationalId, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Remarked:
    """Something worth keeping that changes no table, such as a national id with wrong check digits."""

    type: ClassVar[str] = "remarked"
    record: PatientKey | None = None
    other: PatientKey | None = None
    remark: str
    detail: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Declared:
    """Somebody said that two records are one person, or two."""

    type: ClassVar[str] = "declared"
    record: PatientKey
    other: PatientKey
    same: bool
    basis: Basis


@dataclass(frozen=True, slots=True, kw_only=True)
class Undeclared:
    """What was said of two records no longer holds."""

    type: ClassVar[str] = "undeclared"
    record: PatientKey
    other: PatientKey


@dataclass(frozen=True, slots=True, kw_only=True)
class Matched:
    """The matcher compared two records. ``detail`` explains the verdict, ``version`` names the weights used.

    ``reason`` is what speaks against a link, "" if nothing but the weight does.
    """

    type: ClassVar[str] = "matched"
    record: PatientKey
    other: PatientKey
    outcome: str
    weight: float
    reason: str
    version: str
    detail: Mapping[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Unmatched:
    """Two records no longer resemble each other enough to be kept as a match."""

    type: ClassVar[str] = "unmatched"
    record: PatientKey
    other: PatientKey


@dataclass(frozen=True, slots=True, kw_only=True)
class Linked:
    """A record came to be of ``person``; ``before`` is the person that it was of."""

    type: ClassVar[str] = "linked"
    record: PatientKey
    before: PatientKey | None
    person: PatientKey
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Merged:
    """``record`` was merged into ``other``; what is needed to take that back is kept.

    ``redirected`` were merged into ``record`` before. ``held`` are its national ids, ``inherited`` those that the
    survivor takes over. ``decisions`` were about ``record``; ``adopted`` are about the survivor from now on, in place
    of ``displaced``.
    """

    type: ClassVar[str] = "merged"
    record: PatientKey
    other: PatientKey
    redirected: tuple[PatientKey, ...]
    held: tuple[NationalId, ...]
    inherited: tuple[NationalId, ...]
    decisions: tuple[Decision, ...]
    adopted: tuple[Decision, ...]
    displaced: tuple[Decision, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Unmerged:
    """The merge of ``record`` into ``other`` was taken back: ids, decisions and what had been merged before it."""

    type: ClassVar[str] = "unmerged"
    record: PatientKey
    other: PatientKey
    redirected: tuple[PatientKey, ...]
    restored: tuple[NationalId, ...]
    withdrawn: tuple[NationalId, ...]
    decisions: tuple[Decision, ...]
    undone: tuple[Pair, ...]
    displaced: tuple[Decision, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class IdentifierChanged:
    """A record got another id. ``replaced`` is a record that was only named and had that id; its decisions go over."""

    type: ClassVar[str] = "identifier-changed"
    record: PatientKey
    before: tuple[str, str]
    authority: str
    id: str
    replaced: PatientKey | None = None
    adopted: tuple[Decision, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class TaskOpened:
    """Two records, or one that stands twice, wait for a person to decide."""

    type: ClassVar[str] = "task-opened"
    record: PatientKey
    other: PatientKey
    kind: str
    reason: str
    detail: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class TasksClosed:
    """Tasks that need nobody any more: what they asked was settled by other means."""

    type: ClassVar[str] = "tasks-closed"
    tasks: tuple[int, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class TaskAssigned:
    """A task got an owner, or lost it (None)."""

    type: ClassVar[str] = "task-assigned"
    record: PatientKey
    other: PatientKey
    task: int
    before: str | None
    owner: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class TaskDecided:
    """A person decided a task; what follows from the decision has events of its own."""

    type: ClassVar[str] = "task-decided"
    record: PatientKey
    other: PatientKey
    task: int
    decision: str


@dataclass(frozen=True, slots=True, kw_only=True)
class EncounterChanged:
    """A message of ITI-31 changed an encounter of ``record``; the event that begins one has no ``encounter``.

    Encounter and movement have the number of the event that inserted them. ``movement`` is what the message says, of
    the movement ``updated`` or of a new one; ``cancelled`` count no more. ``state`` is the encounter as it stands now.
    """

    type: ClassVar[str] = "encounter-changed"
    record: PatientKey
    before: Mapping[str, Any] | None = None
    encounter: int | None
    movement: Mapping[str, Any] | None = None
    updated: int | None = None
    cancelled: tuple[int, ...] = ()
    state: Mapping[str, Any]


Event = (
    Named
    | Announced
    | Updated
    | NationalIdsChanged
    | Remarked
    | Declared
    | Undeclared
    | Matched
    | Unmatched
    | Linked
    | Merged
    | Unmerged
    | IdentifierChanged
    | TaskOpened
    | TasksClosed
    | TaskAssigned
    | TaskDecided
    | EncounterChanged
)
EVENTS: Mapping[str, type[Event]] = {each.type: each for each in Event.__args__}
FIELDS: Mapping[type[Event], tuple[str, ...]] = {
    kind: tuple(each.name for each in fields(kind)) for kind in EVENTS.values()
}
COLUMNS = ("record", "other", "before")
PLAIN = (State, NationalId, Decision)


def to_plain(event: Event) -> dict[str, Any]:
    """The columns ``record``, ``other``, ``before`` and ``after`` of an event, the last two ready for JSON."""
    content = {name: _plain(getattr(event, name)) for name in FIELDS[type(event)]}
    columns = {name: content.pop(name, None) for name in COLUMNS}
    return {**columns, "after": content}


def from_plain(kind: str, columns: Mapping[str, Any]) -> Event:
    """The event that ``to_plain`` gave the columns of. KeyError: no such kind of event."""
    made = EVENTS[kind]
    content = {**columns["after"], **{name: columns[name] for name in COLUMNS}}
    known = {each.name: each.type for each in fields(made)}
    return made(**{name: _value(known[name], content[name]) for name in known if name in content})


def _plain(value: Any) -> Any:
    if isinstance(value, PLAIN):
        return value.plain
    return [_plain(each) for each in value] if isinstance(value, tuple) else value


READERS: Mapping[object, Any] = {
    State: State.of,
    State | None: lambda plain: None if plain is None else State.of(plain),
    tuple[NationalId, ...]: lambda plain: tuple(map(NationalId.of, plain)),
    tuple[Decision, ...]: lambda plain: tuple(map(Decision.of, plain)),
    tuple[Pair, ...]: lambda plain: tuple(map(tuple, plain)),
    tuple[PatientKey, ...]: tuple,
    tuple[int, ...]: tuple,
    tuple[str, str]: tuple,
    Basis: Basis,
}


def _value(hint: object, plain: Any) -> Any:
    reader = READERS.get(hint)
    return plain if reader is None else reader(plain)
