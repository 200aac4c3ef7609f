"""Why a client's handshake failed, as the operator of the server reads it."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from OpenSSL import SSL

from tls.verification import Handshake, Refused
from tls.words import alert, stumbled


class Side(StrEnum):
    """Who ended the handshake."""

    WE = "we refused"
    THEY = "the client refused"
    NOBODY = "the connection ended"


@dataclass(frozen=True, slots=True, kw_only=True)
class HandshakeFailure:
    """One failed handshake. ``refused`` is the certificate over which we ended it, if it was one."""

    peer: str
    side: Side
    reason: str
    refused: Refused | None = None


def explain(peer: str, error: BaseException, handshake: Handshake) -> HandshakeFailure:
    """Put a failure into words."""
    if handshake.refused is not None:
        return HandshakeFailure(peer=peer, side=Side.WE, reason=str(handshake.refused), refused=handshake.refused)
    if not isinstance(error, SSL.Error) or isinstance(error, SSL.SysCallError) or not error.args or not error.args[0]:
        closed = "it was closed in the middle of the handshake; some clients do so that do not trust our certificate"
        return HandshakeFailure(peer=peer, side=Side.NOBODY, reason=closed)
    reason = _reason(error)
    said = alert(reason)
    if said is not None:
        return HandshakeFailure(peer=peer, side=Side.THEY, reason=said)
    return HandshakeFailure(peer=peer, side=Side.WE, reason=stumbled(reason))


def _reason(error: Any) -> str:
    return str(error.args[0][-1][2])
