"""A server that does one thing wrong where no rule and no parameter says what is right."""

from contextlib import AbstractContextManager
from typing import Any

from conformance.mutants.mutant import Mutant, Switch, replaced
from soap.head import reply_head


def _instead(where: str, other: Any) -> Switch:
    def switched() -> AbstractContextManager[None]:
        return replaced(where, other)

    return switched


def _unrelated(action: str, _relates_to: str | None, header: bytes = b"") -> bytes:
    return reply_head(action, None, header)


def _misdirected(action: str, _relates_to: str | None, header: bytes = b"") -> bytes:
    return reply_head(action, "urn:uuid:00000000-0000-4000-8000-000000000000", header)


def _deprecates_nothing(*_: object) -> None:
    """The replaced entry stays approved."""


MUTANTS = (
    Mutant(
        name="answers:unrelated",
        sentence="An answer has wsa:RelatesTo",
        breaks=frozenset({"ITI-42-017"}),
        switched=_instead("soap.respond:reply_head", _unrelated),
    ),
    Mutant(
        name="answers:misdirected",
        sentence="wsa:RelatesTo names the request",
        breaks=frozenset({"ITI-42-017"}),
        switched=_instead("soap.respond:reply_head", _misdirected),
    ),
    Mutant(
        name="registry:deprecates-nothing",
        sentence="A replaced entry is deprecated",
        breaks=frozenset({"ITI-42-055"}),
        switched=_instead("xds.registry:deprecate_replaced", _deprecates_nothing),
    ),
)
