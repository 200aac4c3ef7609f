"""One side of a connection through the proxy, plain or with TLS: either direction may end before the other.

asyncio's own TLS ends both directions with the first; TLS 1.3 does not (RFC 8446: 6.1), and the proxy passes on what
happens.
"""

import asyncio
import socket
import ssl
import struct
from collections.abc import Callable
from contextlib import suppress
from typing import TypeVar

from conformance.capture.recorded import CHUNK

HANDSHAKE_SECONDS = 60
LINGER_NOT = struct.pack("ii", 1, 0)
Result = TypeVar("Result")


class Side:
    """A plain connection."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader, self._writer = reader, writer

    async def read(self) -> bytes:
        """What it says next; nothing once it has ended. Raises OSError."""
        return await self._reader.read(CHUNK)

    async def write(self, data: bytes) -> None:
        """Say something, as fast as it is taken. Raises OSError."""
        self._writer.write(data)
        await self._writer.drain()

    def end(self) -> None:
        """Say no more, and go on listening."""
        self._writer.write_eof()

    def close(self) -> None:
        """End both directions."""
        self._writer.close()

    def abort(self) -> None:
        """Hang up with a reset, so that the peer knows that something was lost."""
        transport = self._writer.transport
        raw = transport.get_extra_info("socket")
        if raw is not None and not transport.is_closing():
            raw.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, LINGER_NOT)
        transport.abort()


class SecuredSide(Side):
    """TLS over a plain connection."""

    def __init__(
        self,
        reader: asyncio.StreamReader,
        writer: asyncio.StreamWriter,
        context: ssl.SSLContext,
        server_name: str | None,
    ) -> None:
        super().__init__(reader, writer)
        self._came, self._goes = ssl.MemoryBIO(), ssl.MemoryBIO()
        is_server = server_name is None
        self._tls = context.wrap_bio(self._came, self._goes, is_server, server_name)

    async def shake_hands(self) -> None:
        """Raises OSError: the other side is not who it should be, or thinks so of us."""
        await asyncio.wait_for(self._until_done(self._tls.do_handshake), HANDSHAKE_SECONDS)

    async def read(self) -> bytes:
        """What it says next. Many end the connection without the word that TLS has for it."""
        try:
            return await self._until_done(lambda: self._tls.read(CHUNK))
        except (ssl.SSLZeroReturnError, ssl.SSLEOFError):
            return b""

    async def write(self, data: bytes) -> None:
        """Say something."""
        self._tls.write(data)
        await super().write(self._goes.read())

    def end(self) -> None:
        """Say close_notify. OpenSSL then looks for that of the other side, which may come much later."""
        with suppress(ssl.SSLError):
            self._tls.unwrap()
        self._writer.write(self._goes.read())

    def close(self) -> None:
        """The other side shall know that it has heard all."""
        if not self._writer.is_closing():
            self.end()
        super().close()

    async def _until_done(self, step: Callable[[], Result]) -> Result:
        while True:
            try:
                return step()
            except ssl.SSLWantReadError:
                await super().write(self._goes.read())
                self._take(await super().read())
            finally:
                self._writer.write(self._goes.read())

    def _take(self, data: bytes) -> None:
        if data:
            self._came.write(data)
        else:
            self._came.write_eof()


async def accept(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, tls: ssl.SSLContext | None) -> Side:
    """The side of a client that has come. Raises OSError."""
    if tls is None:
        return Side(reader, writer)
    side = SecuredSide(reader, writer, tls, None)
    return await _shaken(side)


async def connect(host: str, port: int, tls: ssl.SSLContext | None) -> Side:
    """The side of a server, whose name must be in its certificate. Raises OSError."""
    reader, writer = await asyncio.open_connection(host, port, limit=CHUNK)
    if tls is None:
        return Side(reader, writer)
    return await _shaken(SecuredSide(reader, writer, tls, host))


async def _shaken(side: SecuredSide) -> Side:
    try:
        await side.shake_hands()
    except OSError:
        side.close()
        raise
    return side
