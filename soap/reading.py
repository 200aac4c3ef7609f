"""twisted.web's reading of HTTP, but for plain heads, which are read in one go (``soap.heads``).

Tests pin what we rely on and Twisted does not document: until the body is complete, a channel keeps method, target and
version in ``_command``, ``_path`` and ``_version``; in which state it waits for a request, and in which for a body.
"""

# ruff: noqa: N802 (Twisted names its hooks)

from typing import TYPE_CHECKING

from twisted.web.http import HTTPChannel

from soap import heads

if TYPE_CHECKING:
    from soap.site import SOAPSite


class ReadingChannel(HTTPChannel):  # type: ignore[misc]
    """Reads requests."""

    site: "SOAPSite"

    def dataReceived(self, data: bytes) -> None:
        """Read what has arrived."""
        begun = heads.read(data, self.site.posts) if self._waits_for_request() else None
        if begun is None:
            super().dataReceived(data)
        else:
            self._begin(begun)

    def _waits_for_request(self) -> bool:
        """Claim that what comes next is the first line of a request, and will be read."""
        if self.requests or self._buffer or not self.line_mode or self._HTTPChannel__first_line != 1:
            return False
        return bool(self.persistent) and not self.transport.disconnecting and self.totalHeadersSize >= heads.LONGEST

    def _begin(self, begun: heads.Begun) -> None:
        """Do what Twisted does, line by line, with the head of a request."""
        request = self.requestFactory(self, 0)
        request.requestHeaders._rawHeaders = begun.fields
        self.requests.append(request)
        self._HTTPChannel__first_line = 0
        self._command, self._path, self._version = heads.METHOD, begun.target, heads.VERSION
        self._maybeChooseTransferDecoder(heads.LENGTH, begun.length)
        self.allHeadersReceived()
        if not self.transport.disconnecting:
            self.setRawMode()
            super().dataReceived(begun.body)
