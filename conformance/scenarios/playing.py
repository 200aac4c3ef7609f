"""Play a scenario: each step is done by the actors of the harness, and what it makes is known by its name."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, TypeVar

from affinity.client.codebook import CodeBook
from affinity.client.spelling import fields
from conformance.counterparts.documents import delivered
from conformance.counterparts.metadata import Document, link, submission
from conformance.counterparts.patients import Person
from conformance.counterparts.soap import Called
from conformance.expectations import accepted, refused, spelled, succeeded, the_objects
from conformance.harness import Harness
from conformance.scenarios.script import (
    Announce,
    Find,
    Merge,
    Provide,
    Register,
    Retrieve,
    Scenario,
    ScenarioFault,
    Step,
    Submit,
)
from ihe.datatypes import CX
from xds.attribute_tables import DOCUMENT_ENTRY
from xds.model import Association, AssociationType, AvailabilityStatus, DocumentEntry, Submission

Thing = TypeVar("Thing")
STATUSES = {each.name.capitalize(): f"('{each.value}')" for each in AvailabilityStatus}


@dataclass(frozen=True, slots=True)
class Player:
    """One scenario under way."""

    harness: Harness
    people: dict[str, Person] = field(default_factory=dict)
    documents: dict[str, Document] = field(default_factory=dict)

    def play(self, scenario: Scenario) -> None:
        """Every step in its order. AssertionError names the step that did not go as it says."""
        for number, step in enumerate(scenario.steps, start=1):
            try:
                PLAYED[type(step)](self, step)
            except AssertionError as error:
                raise AssertionError(f"step {number}: {error}") from error

    def person(self, name: str) -> Person:
        """A patient of this scenario. ScenarioFault: none is called so."""
        return _named(self.people, name, "patient")

    def document(self, name: str) -> Document:
        """A document of this scenario. ScenarioFault: none is called so."""
        return _named(self.documents, name, "document")


def _announce(player: Player, step: Announce) -> None:
    player.people[step.announce] = player.harness.announced_patient()


def _merge(player: Player, step: Merge) -> None:
    gone, into = player.person(step.merge), player.person(step.into)
    actor = player.harness.feed_receiver()
    accepted(player.harness.patients.feed(actor, "A40", into, gone.id))


def _register(player: Player, step: Register) -> None:
    entry = player.harness.inventor.entry(*_described(player, step), **_attributes(player, step))
    _judge(step, player.harness.documents.register(_submission(player, step, entry)))
    player.documents[step.register_] = Document(entry=entry, content=b"")


def _provide(player: Player, step: Provide) -> None:
    made = player.harness.inventor.document(*_described(player, step), **_attributes(player, step))
    document = Document(entry=made.entry, content=step.content.encode())
    called = player.harness.documents.provide(_submission(player, step, document.entry), [document])
    _judge(step, called)
    player.documents[step.provide] = document


def _find(player: Player, step: Find) -> None:
    asked = [("$XDSDocumentEntryPatientId", spelled(player.person(step.find).id))]
    asked += [("$XDSDocumentEntryStatus", STATUSES[step.status]), *step.where.items()]
    called = player.harness.documents.query("FindDocuments", *asked)
    known = {_unique_id(each): name for name, each in player.documents.items()}
    came = {known.get(each, each) for each in _unique_ids(called)}
    assert came == set(step.expect), f"{called.told}: {sorted(came)} where {sorted(step.expect)} is due"


def _retrieve(player: Player, step: Retrieve) -> None:
    document = player.document(step.retrieve)
    unique_id = _unique_id(document)
    called = player.harness.documents.retrieve((player.harness.inventor.repository, unique_id))
    if step.refused is not None:
        refused(called, step.refused)
        return
    succeeded(called)
    assert delivered(called) == {unique_id: document.content}, f"{called.told}: other bytes came back"


PLAYED: Mapping[type[Step], Callable[[Player, Any], None]] = {
    Announce: _announce,
    Merge: _merge,
    Register: _register,
    Provide: _provide,
    Find: _find,
    Retrieve: _retrieve,
}


def _described(player: Player, step: Submit) -> tuple[CX]:
    return (player.person(step.patient).id,)


def _attributes(player: Player, step: Submit) -> dict[str, Any]:
    """The attributes of the step by the model's fields; a code may be one of those that the declaration lists."""
    try:
        return fields(DOCUMENT_ENTRY, step.attributes, CodeBook(player.harness.system.code_lists))
    except ValueError as error:
        raise ScenarioFault(str(error)) from error


def _submission(player: Player, step: Submit, entry: DocumentEntry) -> Submission:
    packing_slip = player.harness.inventor.submission_set(player.person(step.patient).id)
    return submission(packing_slip, entry, *_relationships(player, step, entry))


def _relationships(player: Player, step: Submit, entry: DocumentEntry) -> tuple[Association, ...]:
    wanted = ((AssociationType.RPLC, step.replaces), (AssociationType.APND, step.appends))
    named = ((kind, player.document(name).entry) for kind, name in wanted if name is not None)
    return tuple(link(kind, entry.entry_uuid, target.entry_uuid) for kind, target in named)


def _judge(step: Submit, called: Called) -> None:
    if step.refused is None:
        succeeded(called)
    else:
        refused(called, step.refused)


def _unique_ids(called: Called) -> set[str]:
    return {str(each.unique_id) for each in the_objects(called) if isinstance(each, DocumentEntry)}


def _unique_id(document: Document) -> str:
    return str(document.entry.unique_id)


def _named(things: Mapping[str, Thing], name: str, what: str) -> Thing:
    if name not in things:
        raise ScenarioFault(f"no {what} is called {name!r} yet; there are {', '.join(things) or 'none'}")
    return things[name]
