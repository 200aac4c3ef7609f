"""The proxy: bytes pass unchanged, as fast as the slower side takes them; ends and resets are passed on.

TLS ends here and begins anew.
"""

import asyncio
import ssl
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass

from conformance.capture.recorded import CHUNK
from conformance.capture.sides import Side, accept, connect
from conformance.capture.taps import HTTPTap, MLLPTap, Overheard, Tap
from conformance.exchanges import Wire

TAPS: dict[Wire, Callable[[], Tap]] = {Wire.HTTP: HTTPTap, Wire.MLLP: MLLPTap}


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """An address; ``tls`` None: plain. Of a server its name must be in its certificate."""

    host: str
    port: int
    tls: ssl.SSLContext | None = None

    def __str__(self) -> str:
        return f"{self.host}:{self.port}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Door:
    """Where clients come in, and the server to which it leads."""

    number: int
    wire: Wire
    inside: Place
    server: Place


Told = Callable[[Door, int, Overheard], Awaitable[None]]
"""Told of each exchange, with the door and the number of the connection. While it waits, that connection waits."""


class Relay:
    """Doors that are open, and the connections through them."""

    def __init__(self, told: Told) -> None:
        self._told = told
        self._connections = 0
        self._servers: list[asyncio.Server] = []
        self._tasks: set[asyncio.Task[None]] = set()

    async def open(self, door: Door) -> int:
        """Listen; returns the port. OSError: the address is taken or not ours."""

        def come(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            task = asyncio.ensure_future(self._serve(door, reader, writer))
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)

        inside = door.inside
        server = await asyncio.start_server(come, inside.host, inside.port, limit=CHUNK)
        self._servers.append(server)
        port: int = server.sockets[0].getsockname()[1]
        return port

    async def close(self) -> None:
        """Close the doors and hang up; what is under way is told as it is."""
        for each in self._servers:
            each.close()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _serve(self, door: Door, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            client = await accept(reader, writer, door.inside.tls)
        except OSError:
            return
        self._connections += 1
        connection = _Connection(door, self._connections, client, TAPS[door.wire](), self._told)
        await connection.run()


class _Connection:
    """One client and its connection to the server."""

    def __init__(self, door: Door, number: int, client: Side, tap: Tap, told: Told) -> None:
        self._door, self._number, self._client, self._tap, self._told = door, number, client, tap, told
        self._why = ""

    async def run(self) -> None:
        """From the first byte to the last, whatever happens."""
        try:
            server = await self._connect()
            if server is not None:
                await self._between(server)
        finally:
            self._client.abort() if self._why else self._client.close()
            await self._tell(self._tap.ended(self._why))

    async def _connect(self) -> Side | None:
        server = self._door.server
        try:
            return await connect(server.host, server.port, server.tls)
        except OSError as error:
            self._why = f"no connection to the server {server}: {error}"
            await self._tell([*self._tap.from_client(await self._client.read())])
            return None

    async def _between(self, server: Side) -> None:
        up = asyncio.ensure_future(self._pass(self._client, server, self._tap.from_client, "client"))
        down = asyncio.ensure_future(self._pass(server, self._client, self._tap.from_server, "server"))
        try:
            await asyncio.gather(up, down)
        finally:
            up.cancel()
            down.cancel()
            server.abort() if self._why else server.close()

    async def _pass(self, source: Side, target: Side, heard: Callable[[bytes], list[Overheard]], who: str) -> None:
        """Pass on what one side says until it ends, then end the other in the same way."""
        try:
            while data := await source.read():
                if not await self._hand_on(data, target, heard):
                    self._reset("server" if who == "client" else "client", source)
                    return
        except OSError:
            self._reset(who, target)
            return
        with suppress(OSError):
            target.end()

    async def _hand_on(self, data: bytes, target: Side, heard: Callable[[bytes], list[Overheard]]) -> bool:
        """False: nobody is there to take it."""
        done = heard(data)
        try:
            await target.write(data)
        except OSError:
            return False
        finally:
            await self._tell(done)
        return True

    def _reset(self, who: str, other: Side) -> None:
        self._why = self._why or f"the {who} reset the connection"
        other.abort()

    async def _tell(self, done: list[Overheard]) -> None:
        for each in done:
            await self._told(self._door, self._number, each)
