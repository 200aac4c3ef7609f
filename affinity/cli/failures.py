"""Whatever went wrong, in one sentence and with the exit code that it means."""

from collections.abc import Callable, Iterator
from typing import Any

from pydantic import ValidationError
from sqlalchemy.exc import OperationalError

from affinity.cli.verbs import ExitCode, Stopped
from affinity.client.connecting import explain_connection
from affinity.client.stewardship import RequestRefused, UnreadableAnswer
from affinity.data_directory import UnusableData
from affinity.domain import DomainError
from affinity.matching_files import WrongMatching
from affinity.outages import InDoubt, Unavailable
from affinity.settings import UnreadableSettings
from affinity.tunings import ShippedDomain
from affinity.unavailable import underlying
from atna.logs import NotAnExport
from atna.roots import NotARoot
from atna.signing import UnusableKey
from atna.trail import AuditUnavailable
from hl7v2.er7 import NotHL7
from ihe.errors import Rejected
from mllp.client import MLLPError
from soap.client import FaultReceived, NoAnswer

Sentence = Callable[[Any], str]


def explain(error: Exception) -> Stopped:
    """Make a sentence of an exception; of one that nobody foresaw its kind, and how to see more."""
    if isinstance(error, Stopped):
        return error
    if isinstance(error, OSError) and error.filename:
        return Stopped(ExitCode.WRONG_USE, f"{error.filename}: {error.strerror}")
    for kind, code, sentence in KNOWN:
        if isinstance(error, kind):
            return Stopped(code, sentence(error))
    return Stopped(
        ExitCode.REFUSED, f"unexpected {type(error).__name__}: {error or 'no text'} (--debug shows where it happened)"
    )


def _fault(fault: FaultReceived) -> str:
    hint = ""
    if {"InvalidSecurityToken", "InvalidSecurity", "SecurityTokenUnavailable"} & set(fault.subcodes):
        hint = " - give an assertion with --assertion FILE, or ask a security token service with --sts URL"
    return f"the server refused with a SOAP fault: {fault}{hint}"


def _no_answer(error: NoAnswer) -> str:
    cause = error.__cause__
    return explain_connection(cause) if isinstance(cause, OSError) else " ".join(str(error).split())


def _unanswered(error: MLLPError) -> str:
    cause = error.__cause__
    return f"{error}" if not isinstance(cause, OSError) else f"{str(error).split(': ')[0]}: {explain_connection(cause)}"


def unreached(error: object) -> str:
    """Why no database was reached, in one line: of several hosts each has a reason, and the last one says little."""
    first, *further = str(error).splitlines()
    return "; ".join(line[2:] for line in further if line.startswith("- host: ")) or first


def _first_lines(error: WrongMatching) -> str:
    return "; ".join(str(error).splitlines())


def _unaudited(error: AuditUnavailable) -> str:
    return f"nothing is done that cannot be audited: {underlying(error) or error}"


def _settings(error: ValidationError) -> str:
    return "settings: " + "; ".join(_wrong_settings(error))


def _wrong_settings(error: ValidationError) -> Iterator[str]:
    for wrong in error.errors():
        yield f"{'.'.join(map(str, wrong['loc']))}: {wrong['msg']}"


KNOWN: tuple[tuple[type[Exception] | tuple[type[Exception], ...], ExitCode, Sentence], ...] = (
    (FaultReceived, ExitCode.REFUSED, _fault),
    (RequestRefused, ExitCode.REFUSED, lambda error: f"the server refused: {error.sentence}"),
    (UnreadableAnswer, ExitCode.UNREACHABLE, str),
    (NoAnswer, ExitCode.UNREACHABLE, _no_answer),
    (MLLPError, ExitCode.UNREACHABLE, _unanswered),
    (NotHL7, ExitCode.UNREACHABLE, lambda error: f"the answer is no HL7 message: {error}"),
    (Rejected, ExitCode.UNREACHABLE, lambda error: f"the answer cannot be read: {error}"),
    (DomainError, ExitCode.WRONG_USE, lambda error: f"the domain cannot be used: {'; '.join(map(str, error.faults))}"),
    (ValidationError, ExitCode.WRONG_USE, _settings),
    (UnreadableSettings, ExitCode.WRONG_USE, lambda error: f"settings: {error}"),
    (UnusableData, ExitCode.WRONG_USE, str),
    (ShippedDomain, ExitCode.WRONG_USE, str),
    (WrongMatching, ExitCode.WRONG_USE, _first_lines),
    (NotARoot, ExitCode.WRONG_USE, str),
    (NotAnExport, ExitCode.WRONG_USE, str),
    (UnusableKey, ExitCode.WRONG_USE, str),
    (AuditUnavailable, ExitCode.REFUSED, _unaudited),
    (OperationalError, ExitCode.UNREACHABLE, lambda error: f"the database does not answer: {unreached(error.orig)}"),
    ((Unavailable, InDoubt), ExitCode.UNREACHABLE, str),
    (OSError, ExitCode.UNREACHABLE, explain_connection),
)
