"""A registry or repository that does one thing wrong where no rule and no parameter says what is right."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

from sqlalchemy import ColumnElement, bindparam

from conformance.mutants.mutant import Mutant, Switch, original, replaced
from soap.head import reply_head
from xds.model import Association
from xds.responses import ResponseStatus, registry_response
from xds.stored_query import Kind

DEPRECATES = "xds.registry:deprecate_replaced"
NOBODY = "urn:uuid:00000000-0000-4000-8000-000000000000"


def _instead(where: str, other: Any) -> Switch:
    return lambda: replaced(where, other)


def _around(where: str, changed: Callable[[Any], Any]) -> Switch:
    """What stands there, with its result changed."""
    before = original(where)

    def other(*arguments: Any, **named: Any) -> Any:
        return changed(before(*arguments, **named))

    return lambda: replaced(where, other)


def _does_nothing(*_: Any, **_named: Any) -> None:
    """Whatever is asked."""


def _finds_nothing(*_: Any, **_named: Any) -> tuple[Any, ...]:
    return ()


def _knows_nothing(*_: Any, **_named: Any) -> dict[Any, Any]:
    return {}


def _unrelated(action: str, _relates_to: str | None, header: bytes = b"") -> bytes:
    return reply_head(action, None, header)


def _misdirected(action: str, _relates_to: str | None, header: bytes = b"") -> bytes:
    return reply_head(action, NOBODY, header)


def _after(column: ColumnElement[Any], name: str) -> ColumnElement[bool]:
    return column > bindparam(name)


def _until(column: ColumnElement[Any], name: str) -> ColumnElement[bool]:
    return column <= bindparam(name)


def _comparing(kind: Kind, compare: Callable[[ColumnElement[Any], str], ColumnElement[bool]]) -> Switch:
    """A comparison of its own for one kind of parameter; statements that were compiled before are forgotten."""

    @contextmanager
    def switched() -> Iterator[None]:
        comparisons = original("xds.query_conditions:COMPARE")
        compiled = original("xds.search_statements:statement")
        with replaced("xds.query_conditions:COMPARE", {**comparisons, kind: compare}):
            compiled.cache_clear()
            yield
        compiled.cache_clear()

    return switched


def _succeeds(_status: ResponseStatus, breaches: Any = ()) -> bytes:
    return registry_response(ResponseStatus.SUCCESS, breaches)


def _always_succeeds(_done: int, _breaches: Any) -> ResponseStatus:
    return ResponseStatus.SUCCESS


def _without_hash(entry: Any) -> Any:
    return replace(entry, hash=None)


def _elsewhere(entry: Any) -> Any:
    return replace(entry, repository_unique_id="2.999.1")


def _half(associations: tuple[Association, ...]) -> tuple[Association, ...]:
    """Without what makes the membership a member of the set."""
    return associations[: len(associations) // 2]


def _mutant(name: str, sentence: str, switched: Switch, *breaks: str) -> Mutant:
    return Mutant(name=name, sentence=sentence, breaks=frozenset(breaks), switched=switched)


MUTANTS = (
    _mutant(
        "answers:unrelated",
        "An answer has wsa:RelatesTo",
        _instead("soap.respond:reply_head", _unrelated),
        "ITI-42-017",
        "TF2-V-046",
    ),
    _mutant(
        "answers:misdirected",
        "wsa:RelatesTo names the request",
        _instead("soap.respond:reply_head", _misdirected),
        "ITI-42-017",
        "TF2-V-046",
    ),
    _mutant(
        "registry:deprecates-nothing",
        "A replaced entry is deprecated",
        _instead(DEPRECATES, _does_nothing),
        "ITI-42-055",
    ),
    _mutant(
        "registry:forgets-addenda",
        "What was made of a replaced entry is deprecated",
        _instead("xds.store:derived_from", _knows_nothing),
        "ITI-42-057",
        "ITI-42-058",
    ),
    _mutant(
        "registry:forgets-folders",
        "A replacement is in the folders of what it replaces",
        _instead("xds.registry:folder_memberships", _finds_nothing),
        "ITI-42-060",
    ),
    _mutant(
        "registry:forgets-labels",
        "The registry's memberships are members of the set",
        _around("xds.registry:folder_memberships", _half),
        "ITI-42-061",
    ),
    _mutant(
        "registry:refuses-with-success",
        "A refusal is a Failure",
        _instead("xds.iti42:registry_response", _succeeds),
        "ITI-42-018",
        "ITI-42-033",
    ),
    _mutant(
        "registry:knows-everybody-twice",
        "Metadata of two patients do not come in one answer",
        _instead("xds.registry_query:_refuse_several_patients", _does_nothing),
        "ITI-18-101",
    ),
    _mutant(
        "queries:lower-bound-excluded",
        "The lower bound of a time includes itself",
        _comparing(Kind.TIME_FROM, _after),
        "ITI-18-006",
    ),
    _mutant(
        "queries:upper-bound-included",
        "The upper bound of a time excludes itself",
        _comparing(Kind.TIME_TO, _until),
        "ITI-18-007",
    ),
    _mutant(
        "updates:propagate-nothing",
        "A new version inherits Associations",
        _instead("xds.updates:_propagated", _finds_nothing),
        "ITI-57-054",
        "ITI-57-056",
    ),
    _mutant(
        "updates:supersede-nothing",
        "The version before is deprecated",
        _instead("xds.updates:_supersede", _does_nothing),
        "ITI-57-058",
    ),
    _mutant(
        "updates:change-no-status",
        "A status changes",
        _instead("xds.updates:_change_statuses", _finds_nothing),
        "ITI-57-032",
    ),
    _mutant(
        "repository:believes-every-hash",
        "Hash and size are those of the document",
        _instead("xds.iti41:_misdescribed", _finds_nothing),
        "ITI-41-024",
        "ITI-41-025",
    ),
    _mutant(
        "repository:registers-no-hash",
        "An entry reaches the registry with its hash",
        _around("xds.iti41:_complete", _without_hash),
        "ITI-41-046",
    ),
    _mutant(
        "repository:says-it-is-elsewhere",
        "repositoryUniqueId is the repository's own",
        _around("xds.iti41:_complete", _elsewhere),
        "ITI-41-045",
    ),
    _mutant(
        "repository:half-a-success",
        "What is missing makes a PartialSuccess",
        _instead("xds.iti43:status", _always_succeeds),
        "ITI-43-045",
        "ITI-43-026",
    ),
    _mutant(
        "repository:removes-nothing-well",
        "What is not removed is told",
        _instead("xds.iti86:status", _always_succeeds),
        "ITI-86-020",
        "ITI-86-009",
    ),
)
