"""A blocking client of the stewards' interface (docs/stewardship.md), for the command line and tests."""

import json
import ssl
from collections.abc import Mapping
from dataclasses import dataclass
from http.client import HTTPConnection, HTTPException, HTTPSConnection
from typing import Any
from urllib.parse import urlencode, urlsplit

MOST = 64 * 2**20
"""Most bytes of an answer that are read."""


class RequestRefused(Exception):
    """The server refused: its status, code and sentence; ``content`` is its whole answer."""

    def __init__(self, status: int, content: Mapping[str, Any]) -> None:
        error = content.get("error", {})
        super().__init__(error.get("text") or f"HTTP {status}")
        self.status = status
        self.content = content

    @property
    def sentence(self) -> str:
        """What is wrong, where, and how to mend it."""
        error = self.content.get("error", {})
        where = f" ({error['where']})" if error.get("where") else ""
        remedy = f"; {error['remedy']}" if error.get("remedy") else ""
        return f"{self}{where}{remedy}"


class UnreadableAnswer(Exception):
    """What came is no answer of the stewards' interface; the text says what it is."""


@dataclass(frozen=True, slots=True, kw_only=True)
class StewardClient:
    """Speaks to one node. ``url`` is that of the interface. Raises RequestRefused, UnreadableAnswer, OSError."""

    url: str
    token: str
    tls: ssl.SSLContext | None = None
    timeout: float = 30

    def get(self, path: str, parameters: Mapping[str, str | int] | None = None) -> dict[str, Any]:
        """Read something."""
        query = f"?{urlencode(parameters)}" if parameters else ""
        return self._exchange("GET", path + query, None)

    def post(self, path: str, content: Mapping[str, Any]) -> dict[str, Any]:
        """Change something."""
        return self._exchange("POST", path, json.dumps(content).encode())

    def _exchange(self, method: str, path: str, body: bytes | None) -> dict[str, Any]:
        address = urlsplit(self.url)
        connection = self._connect(address.scheme, address.hostname or "", address.port)
        headers = {"Authorization": f"Bearer {self.token}", "Accept": "application/json"}
        if body is not None:
            headers["Content-Type"] = "application/json"
        try:
            connection.request(method, f"{address.path.rstrip('/')}/{path}", body, headers)
            response = connection.getresponse()
            return self._read(response.status, response.read(MOST))
        except ssl.SSLError:
            raise
        except HTTPException as error:
            raise UnreadableAnswer(f"{self.url} did not answer as HTTP: {error!r}") from error
        finally:
            connection.close()

    def _connect(self, scheme: str, host: str, port: int | None) -> HTTPConnection:
        if scheme == "https":
            return HTTPSConnection(host, port, timeout=self.timeout, context=self.tls)
        return HTTPConnection(host, port, timeout=self.timeout)

    def _read(self, status: int, content: bytes) -> dict[str, Any]:
        try:
            read = json.loads(content)
        except ValueError:
            read = None
        if not isinstance(read, dict):
            raise UnreadableAnswer(f"{self.url} answered HTTP {status}, and no JSON: is a node of Affinity there?")
        if status != 200:
            raise RequestRefused(status, read)
        return read
