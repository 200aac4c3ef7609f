"""The FHIR Feed to an Audit Record Repository (ITI Suppl. RESTful ATNA: 3.20.4.2)."""

import json
from collections.abc import Sequence
from http.client import HTTPConnection, HTTPException, HTTPSConnection
from time import monotonic

from affinity.client.connecting import explain_connection
from affinity.collector_tls import Context
from affinity.collectors import CONNECT, Lost, Parcel, Refused

FHIR_JSON = "application/fhir+json"
REFUSED = frozenset({400, 409, 412, 413, 415, 422})
"""What says that this one resource will never be taken."""


class FHIRCollector:
    """FHIR Feed: each record is created by a POST, and stored once it is answered (RESTful ATNA: 3.20.4.2)."""

    def __init__(self, host: str, port: int | None, path: str, context: Context | None) -> None:
        self._host, self._port = host, port
        self._target = f"{path.rstrip('/')}/AuditEvent"
        self._context = context
        self._connection: HTTPConnection | None = None
        self._alive_at = float("-inf")

    def send(self, parcels: Sequence[Parcel]) -> None:
        """Create one after the other."""
        for each in parcels:
            self._create(each)

    def confirm(self) -> None:
        """The answer was the confirmation."""

    def alive_at(self) -> float:
        """When it last answered."""
        return self._alive_at

    def hang_up(self) -> None:
        """Close the connection."""
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    def interrupt(self) -> None:
        """It waits for an answer for ``CONNECT`` seconds at most."""

    def _create(self, parcel: Parcel) -> None:
        headers = {"Content-Type": FHIR_JSON, "Accept": FHIR_JSON, "Prefer": "return=minimal"}
        try:
            connection = self._open()
            connection.request("POST", self._target, parcel.content, headers)
            response = connection.getresponse()
            answer = response.read(65536)
            if response.read(1):
                self.hang_up()
        except OSError as error:
            self.hang_up()
            raise Lost(explain_connection(error)) from error
        except HTTPException as error:
            self.hang_up()
            raise Lost(f"it does not answer as HTTP should: {type(error).__name__}") from error
        self._judge(parcel.number, response.status, answer)

    def _judge(self, number: int, status: int, answer: bytes) -> None:
        if status in REFUSED:
            raise Refused(number, f"HTTP {status}{_issue(answer)}")
        if not 200 <= status < 300:
            self.hang_up()
            raise Lost(f"it answered HTTP {status}{_issue(answer)}")
        self._alive_at = monotonic()

    def _open(self) -> HTTPConnection:
        if self._connection is None:
            if self._context is None:
                self._connection = HTTPConnection(self._host, self._port, timeout=CONNECT)
            else:
                self._connection = HTTPSConnection(self._host, self._port, timeout=CONNECT, context=self._context())
        return self._connection


def _issue(answer: bytes) -> str:
    """The code of an OperationOutcome; its words may quote the record."""
    try:
        codes = [str(each["code"])[:40] for each in json.loads(answer)["issue"]]
    except (ValueError, KeyError, TypeError):
        return ""
    return f" ({', '.join(codes[:3])})"
