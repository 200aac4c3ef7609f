"""Patients are taken out of a capture: first all real values are found, then each is replaced, then proof is sought."""

import hashlib
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path

from conformance.capture import readable
from conformance.capture.folder import Capture, written
from conformance.capture.leaks import leaks
from conformance.capture.pseudonyms import Kind, Pseudonyms, placeholder, unaccented
from conformance.capture.readable import Documents
from conformance.capture.recorded import Blob, Message, Recorded, in_memory
from conformance.capture.spool import Spool
from conformance.capture.sweeping import Sweep
from conformance.capture.xml_fields import Scope

MOST_SHOWN = 10
SHORTEST_NAME = 4
"""A shorter name in capitals may be a code."""
LONGEST_DOCUMENT = 16 * 1024 * 1024
"""A longer document is not looked into, and so never kept."""


class NotRedacted(ValueError):
    """A real value would be left: nothing was written."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Redaction:
    """How much is taken out, and the key of the pseudonyms."""

    key: bytes
    authors: bool = False
    keep_text: bool = False
    keep_documents: bool = False


def write_redacted(directory: Path, capture: Capture, redaction: Redaction) -> None:
    """Write a capture without the data of patients. NotRedacted: some would be left; nothing is written then."""
    real = find(capture.exchanges, redaction)
    with _Redactor(redaction, real) as redactor:
        exchanges = tuple(map(redactor.exchange, capture.exchanges))
        with written(directory, Capture(exchanges=exchanges, redacted=True)) as beside:
            left = leaks(beside, real.values)
            if left:
                raise NotRedacted(_told(left))


def _told(left: Iterable[object]) -> str:
    every = list(dict.fromkeys(map(str, left)))
    shown = ", ".join(every[:MOST_SHOWN]) + (f" and {len(every) - MOST_SHOWN} more" if len(every) > MOST_SHOWN else "")
    return (
        f"nothing was written: values that were taken out are left in {shown}. Capture with --raw into a safe place "
        "and look there; a document that was kept (--keep) is the usual reason"
    )


@dataclass(frozen=True, slots=True)
class Real:
    """What really occurs: the values that will be replaced, and the documents, by their SHA-256."""

    values: set[tuple[Kind, str]] = field(default_factory=set)
    documents: dict[str, Blob] = field(default_factory=dict)

    def note(self, kind: Kind | None, value: str) -> str:
        """Remember a value that will be replaced."""
        if kind is not None and any(map(str.isalnum, value)):
            self.values.add((kind, value))
            self.values.update((kind, each) for each in _otherwise_spelled(kind, value))
        return value

    def note_document(self, blob: Blob) -> None:
        """Remember a document."""
        self.documents[blob.sha256] = blob

    def note_inline(self, content: bytes) -> bytes:
        """Remember a document that stands within its envelope."""
        self.note_document(in_memory(content))
        return content


def _otherwise_spelled(kind: Kind, value: str) -> Iterator[str]:
    """How a clerk writes the same name in a title or a remark: in capitals, without accents."""
    if kind is Kind.NAME and len(value) >= SHORTEST_NAME:
        plain = unaccented(value)
        yield from (value.upper(), value.title(), plain, plain.upper(), plain.title())


def find(exchanges: Iterable[Recorded], redaction: Redaction) -> Real:
    """Every value that will be replaced, and every document."""
    real = Real()
    scope = _scope(redaction, real.note_inline)
    unchanged = Documents(text=lambda text: text, blob=lambda attachment: None)
    for message in (each for exchange in exchanges for each in (exchange.request, exchange.answer) if each):
        readable.rewrite(message, real.note, scope, unchanged)
        for attachment in message.attachments:
            real.note_document(attachment.blob)
    for document in real.documents.values() if redaction.keep_documents else ():
        if document.size <= LONGEST_DOCUMENT:
            readable.rewrite_xml(document.content(), real.note, replace(scope, texts=False))
    return real


def _scope(redaction: Redaction, document: Callable[[bytes], bytes]) -> Scope:
    return Scope(authors=redaction.authors, texts=not redaction.keep_text, document=document)


class _Redactor:
    """Rewrites one exchange after the other; what it makes lies in a spool of its own."""

    def __init__(self, redaction: Redaction, real: Real) -> None:
        self._redaction = redaction
        self._pseudonyms = Pseudonyms(redaction.key, frozenset(value for _, value in real.values))
        self._sweep = Sweep({(kind, value): self._pseudonyms.of(kind, value) for kind, value in real.values})
        self._scope = _scope(redaction, lambda content: self._documents[in_memory(content).sha256].content())
        self._spool = Spool()
        self._hashes: dict[str, str] = {}
        self._documents: dict[str, Blob] = {}
        for sha256, document in real.documents.items():
            self._documents[sha256] = self._instead(document)

    def __enter__(self) -> "_Redactor":
        return self

    def __exit__(self, *raised: object) -> None:
        self._spool.close()

    def exchange(self, recorded: Recorded) -> Recorded:
        """The exchange without data of patients."""
        answer = recorded.answer and self._message(recorded.answer)
        return replace(recorded, request=self._message(recorded.request), answer=answer)

    def _message(self, message: Message) -> Message:
        documents = Documents(text=self._sweep.address, blob=lambda each: self._documents[each.blob.sha256])
        return readable.rewrite(message, self._replace, self._scope, documents)

    def _replace(self, kind: Kind | None, value: str) -> str:
        if kind is not None:
            return self._pseudonyms.of(kind, value)
        return self._hashes.get(value.lower()) or self._sweep.text(value)

    def _instead(self, document: Blob) -> Blob:
        """What stands for a document; the hash in its metadata will be that of this (ITI TF-3: 4.2.3.2.9)."""
        new = self._spool.keep(self._kept(document) or self._placeholder(document))
        self._hashes[_sha1(document)] = _sha1(new)
        return new

    def _kept(self, document: Blob) -> tuple[bytes, ...] | None:
        """The document itself without the patient; None where it is not wanted or is no XML that keeps its size."""
        if not self._redaction.keep_documents or document.size > LONGEST_DOCUMENT:
            return None
        new = readable.rewrite_xml(document.content(), self._replace, replace(self._scope, texts=False))
        return None if new is None or len(new) > document.size else (new.ljust(document.size),)

    def _placeholder(self, document: Blob) -> Iterator[bytes]:
        begin = next(document.read(), b"").lstrip(b"\xef\xbb\xbf \t\r\n")
        return placeholder(self._redaction.key, document.sha256, document.size, xml=begin.startswith(b"<"))


def _sha1(blob: Blob) -> str:
    digest = hashlib.sha1()
    for piece in blob.read():
        digest.update(piece)
    return digest.hexdigest()
