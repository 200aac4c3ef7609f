"""What a simulator does wrong on purpose: which fault, in which transaction, at which request."""

import threading
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from enum import StrEnum

from affinity.catalogue import INITIATED, TRANSACTIONS, AnyTransaction
from conformance.simulators.codes import error_code, soap_fault
from ihe.transactions import HL7v2Binding, Initiated, SOAPBinding


class FaultKind(StrEnum):
    """What goes wrong; the value is how plans and the command line spell it."""

    DROP = "drop"
    """The connection is reset when the request has been read; nothing is done."""
    CLOSE = "close-before-answer"
    """What was asked is done, and the connection is closed without an answer."""
    DELAY = "delay"
    """What was asked is done; the answer waits so many seconds."""
    TRICKLE = "trickle"
    """The answer comes at so many bytes a second."""
    REFUSE = "refuse"
    """The error answer of the transaction with this code: a RegistryError, AE or AR with ERR, acknowledgementDetail."""
    SOAP_FAULT = "soap-fault"
    """A SOAP Fault with this code (Sender, Receiver) or subcode (wsse:FailedAuthentication)."""
    HTTP_STATUS = "http-status"
    """An answer of HTTP without SOAP, such as 503."""
    NOT_WELL_FORMED = "not-well-formed"
    """XML that ends too early; over MLLP, something that is no HL7."""
    TRUNCATED = "truncated"
    """A package that lacks its last part's end and the last boundary; a body of one part is cut in the middle."""
    WRONG_CONTENT_TYPE = "wrong-content-type"
    """The answer says that it is text/html."""
    ALTERED_DOCUMENT = "altered-document"
    """One bit of a document in the answer is another one: its hash is not that of the metadata."""
    NO_RELATES_TO = "no-relates-to"
    WRONG_RELATES_TO = "wrong-relates-to"
    """The answer says that it answers another message."""
    NO_MSA = "no-msa"
    WRONG_MSA_2 = "wrong-msa-2"
    """The acknowledgement is one of another message."""
    WRONG_ERROR_CODE = "wrong-error-code"
    """An error answer whose code is in no table."""


SECONDS = frozenset({FaultKind.DELAY})
WHOLE = frozenset({FaultKind.TRICKLE, FaultKind.HTTP_STATUS})
NAMED = frozenset({FaultKind.REFUSE, FaultKind.SOAP_FAULT})
"""The kinds that need a detail, by what it is: seconds, a whole number, the name of a code."""
OF_HTTP = frozenset(
    {
        FaultKind.SOAP_FAULT,
        FaultKind.HTTP_STATUS,
        FaultKind.TRUNCATED,
        FaultKind.WRONG_CONTENT_TYPE,
        FaultKind.ALTERED_DOCUMENT,
        FaultKind.NO_RELATES_TO,
        FaultKind.WRONG_RELATES_TO,
    }
)
OF_MLLP = frozenset({FaultKind.NO_MSA, FaultKind.WRONG_MSA_2})


class UnusablePlan(ValueError):
    """A fault cannot be planned so; the text says which and why."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """One planned fault. ``transaction`` None: any; ``request`` counts from 1, None: each.

    ``detail`` is what its kind needs: seconds, bytes a second, an HTTP status, a code. UnusablePlan: it does not fit.
    """

    kind: FaultKind
    transaction: str | None = None
    request: int | None = None
    detail: str = ""

    def __post_init__(self) -> None:
        for complaint in _complaints(self):
            raise UnusablePlan(f"fault {self}: {complaint}")

    def __str__(self) -> str:
        which = "each" if self.request is None else str(self.request)
        return " ".join(filter(None, (self.transaction or "any", which, self.kind, self.detail)))

    @property
    def seconds(self) -> float:
        """How long the answer waits."""
        return float(self.detail) if self.kind is FaultKind.DELAY else 0.0

    @property
    def pace(self) -> int:
        """Bytes a second; 0: as fast as they go."""
        return int(self.detail) if self.kind is FaultKind.TRICKLE else 0


def _complaints(fault: Fault) -> Iterator[str]:
    wires = _wires()
    if fault.transaction is not None and fault.transaction not in wires:
        yield f"there is no such transaction here; there are {', '.join(sorted(wires))}"
        return
    spoken = wires[fault.transaction] if fault.transaction else frozenset({"HTTP", "MLLP"})
    if (fault.kind in OF_HTTP and "HTTP" not in spoken) or (fault.kind in OF_MLLP and "MLLP" not in spoken):
        yield f"{fault.transaction} is not spoken over the wire that {fault.kind} is about"
    if fault.request is not None and fault.request < 1:
        yield "requests are counted from 1"
    yield from _wrong_detail(fault)


def _wrong_detail(fault: Fault) -> Iterator[str]:
    kind, detail = fault.kind, fault.detail
    if kind in SECONDS and not _is_positive(detail):
        yield "it needs a number of seconds"
    elif kind in WHOLE and not (detail.isdecimal() and int(detail) > 0):
        yield "it needs a whole number"
    elif kind in NAMED:
        yield from _wrong_name(kind, detail)
    elif detail and kind not in SECONDS | WHOLE:
        yield "it takes no detail"


def _wrong_name(kind: FaultKind, name: str) -> Iterator[str]:
    try:
        (error_code if kind is FaultKind.REFUSE else soap_fault)(name)
    except ValueError as error:
        yield str(error)


def _is_positive(text: str) -> bool:
    try:
        return 0 < float(text) < 86400
    except ValueError:
        return False


def _wires() -> dict[str, frozenset[str]]:
    """The wires of each transaction that a simulator answers."""
    every: tuple[AnyTransaction | Initiated, ...] = (*TRANSACTIONS, *INITIATED)
    known = {each.id: frozenset(map(_wire, each.bindings)) for each in every}
    return known | {"ITI-40": frozenset({"HTTP"}), "ITI-20": frozenset({"HTTP"})}


def _wire(binding: SOAPBinding | HL7v2Binding) -> str:
    return "HTTP" if isinstance(binding, SOAPBinding) else "MLLP"


@dataclass(slots=True)
class FaultPlan:
    """The faults that are to come; counts the requests of each transaction from the moment that it is made."""

    faults: tuple[Fault, ...] = ()
    _met: Counter[str | None] = field(default_factory=Counter)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def due(self, transaction: str | None) -> Fault | None:
        """Count one request, and say what shall go wrong with it: the first fault of the plan that is meant."""
        with self._lock:
            self._met[transaction] += 1
            self._met[ANY] += 1
            return next((each for each in self.faults if self._is_due(each, transaction)), None)

    def _is_due(self, fault: Fault, transaction: str | None) -> bool:
        if fault.transaction not in (None, transaction):
            return False
        number = self._met[ANY if fault.transaction is None else transaction]
        return fault.request is None or fault.request == number


ANY = "any"
"""The count of all requests; no transaction is called so."""


def spelled(words: str) -> Fault:
    """Read a fault as the command line has it: ``ITI-41 2 delay 5``, ``any each drop``. UnusablePlan."""
    parts = words.split()
    if len(parts) not in (3, 4):
        raise UnusablePlan(f"fault {words!r}: write TRANSACTION NUMBER FAULT [DETAIL], such as 'ITI-41 2 delay 5'")
    transaction, request, kind, *detail = parts
    return planned(transaction, request, kind, "".join(detail))


def planned(transaction: str, request: str | int, kind: str, detail: str = "") -> Fault:
    """Make a fault of its written parts. UnusablePlan."""
    if kind not in set(FaultKind):
        raise UnusablePlan(f"{kind!r} is no fault; there are {', '.join(FaultKind)}")
    if str(request) != "each" and not str(request).isdecimal():
        raise UnusablePlan(f"{request!r}: the number of a request, or 'each'")
    return Fault(
        kind=FaultKind(kind),
        transaction=None if transaction == ANY else transaction,
        request=None if str(request) == "each" else int(request),
        detail=detail,
    )


def at_first(kind: FaultKind, *transactions: str, detail: str = "") -> tuple[Fault, ...]:
    """The same fault at the first request of each of these transactions."""
    return tuple(Fault(kind=kind, transaction=each, request=1, detail=detail) for each in transactions)
