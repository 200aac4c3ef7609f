"""twisted.web's reading of HTTP, which looks at no head twice that it has taken before (``soap.heads``).

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
    """Reads requests; a head that came before, in one piece as then, is taken at once."""

    site: "SOAPSite"
    _arriving: heads.Key | None = None

    def dataReceived(self, data: bytes) -> None:
        """Read what has arrived."""
        begun = heads.begun(data) if self._waits_for_request() else None
        known = self.site.heads.find(begun.key) if begun else None
        if begun and known:
            self._again(begun, known)
            return
        self._arriving = begun.key if begun else None
        super().dataReceived(data)
        self._arriving = None

    def allHeadersReceived(self) -> None:
        """Keep what was read in the head of a SOAP message: there will be more like it."""
        if self._arriving is not None and self._path in self.site.posts:
            line = self._command, self._path, self._version
            self.site.heads.note(self._arriving, line, self.requests[-1].requestHeaders.getAllRawHeaders())
        super().allHeadersReceived()

    def _waits_for_request(self) -> bool:
        """Claim that what comes next is the first line of a request, and will be read."""
        if self.requests or self._buffer or not self.line_mode or self._HTTPChannel__first_line != 1:
            return False
        return bool(self.persistent) and not self.transport.disconnecting

    def _again(self, begun: heads.Begun, head: heads.Head) -> None:
        """Take a head as it was taken when it was read."""
        request = self.requestFactory(self, 0)
        request.requestHeaders._rawHeaders = head.fields_with(begun.digits)
        self.requests.append(request)
        self._HTTPChannel__first_line = 0
        self._command, self._path, self._version = head.line
        self._maybeChooseTransferDecoder(heads.LENGTH, begun.digits)
        self.allHeadersReceived()
        if not self.transport.disconnecting:
            self.setRawMode()
            super().dataReceived(begun.body)
