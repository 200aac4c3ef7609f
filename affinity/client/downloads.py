"""Received documents as files of a directory: written while they arrive, named when they are whole."""

import hashlib
import mimetypes
import os
import re
import secrets
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Self

from affinity.client.responses import Delivered
from ihe.exchange import Part, Sink

UNSAFE = re.compile(r"[^A-Za-z0-9._-]")
"""What a uniqueId may hold and a file name had better not."""
SUFFIXES = {"text/xml": ".xml", "application/hl7-v3": ".xml", "application/dicom": ".dcm", "text/plain": ".txt"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Saved:
    """A document in its file; ``sha1`` is lower-case hex, as the registry's ``hash`` is compared."""

    unique_id: str
    path: Path
    media_type: str
    size: int
    sha1: str


class Downloads:
    """A directory for documents; ``arrived`` is told how many bytes came. Use it in a ``with`` statement."""

    def __init__(self, directory: Path, arrived: Callable[[int], None]) -> None:
        self._directory = directory
        self._arrived = arrived
        self._begun: list[Sink] = []
        directory.mkdir(parents=True, exist_ok=True)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *raised: object) -> None:
        """Throw away what got no name."""
        for sink in self._begun:
            sink.discard()

    def create(self) -> Sink:
        """Make the place for one arriving part."""
        self._begun.append(_Download(self._directory, self._arrived))
        return self._begun[-1]

    def save(self, document: Delivered) -> Saved:
        """Give a received document its name. A file of that name is the same document, and is replaced."""
        part = document.content if isinstance(document.content, Part) else self._write(document.content)
        path = self._directory / _file_name(document)
        Path(part.spooled).replace(path)
        return Saved(
            unique_id=document.unique_id,
            path=path,
            media_type=document.media_type,
            size=part.size,
            sha1=part.sha1,
        )

    def _write(self, content: bytes) -> Part:
        sink = self.create()
        sink.write(content)
        return sink.finish("", "")


class _Download:
    """One arriving part in a file without name yet."""

    def __init__(self, directory: Path, arrived: Callable[[int], None]) -> None:
        self._path = directory / f".{secrets.token_hex(8)}.part"
        self._file = os.fdopen(os.open(self._path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb")
        self._arrived = arrived
        self._size = 0
        self._sha1, self._sha256 = hashlib.sha1(usedforsecurity=False), hashlib.sha256()

    def write(self, chunk: bytes) -> None:
        self._file.write(chunk)
        self._size += len(chunk)
        self._sha1.update(chunk)
        self._sha256.update(chunk)
        self._arrived(len(chunk))

    def finish(self, content_id: str, media_type: str) -> Part:
        self._file.close()
        return Part(
            content_id=content_id,
            media_type=media_type,
            size=self._size,
            sha1=self._sha1.hexdigest(),
            sha256=self._sha256.hexdigest(),
            spooled=str(self._path),
        )

    def discard(self) -> None:
        with suppress(OSError):  # a full disk may refuse the last buffered bytes: they are thrown away anyhow
            self._file.close()
        self._path.unlink(missing_ok=True)


def _file_name(document: Delivered) -> str:
    media_type = document.media_type.partition(";")[0].strip()
    suffix = SUFFIXES.get(media_type) or mimetypes.guess_extension(media_type) or ""
    return (UNSAFE.sub("_", document.unique_id).lstrip(".") or "document") + suffix
