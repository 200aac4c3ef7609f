"""The repository's table of documents: which bytes and mimeType belong to a uniqueId (ITI TF-2: 3.41.4.1.3.2)."""

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from operator import attrgetter
from typing import Any

from sqlalchemy import ColumnElement, Connection, bindparam, func, select, true, update
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.engine import Dialect

from ihe.citations import tf2
from ihe.errors import Breach, ErrorCode, Rejected
from ihe.identifiers import UniqueId
from statements.among import Among
from statements.prepared import Prepared
from xds.documents import Content
from xds.tables import document

_INSERTIONS = {
    name: Prepared(make(document).on_conflict_do_nothing().returning(document.c.unique_id), document.columns)
    for name, make in (("sqlite", sqlite.insert), ("postgresql", postgresql.insert))
}
_RETRIEVABLE = document.c.removed_at.is_(None)
_COLUMNS = (
    document.c.repository_unique_id,
    document.c.unique_id,
    document.c.sha256,
    document.c.size,
    document.c.place,
    document.c.sha1,
    document.c.mime_type,
)
_NAMED = Prepared(
    select(*_COLUMNS)
    .where(document.c.repository_unique_id == bindparam("repository"), Among(document.c.unique_id, "ids"), _RETRIEVABLE)
    .order_by(document.c.unique_id)
)
_BYTES = select(document.c.sha256).where(document.c.sha256 == bindparam("digest"), _RETRIEVABLE).limit(1)
_WITH_BYTES = Prepared(_BYTES)
_WITH_BYTES_AT = Prepared(_BYTES.where(document.c.place == bindparam("place")))
UNIQUE_ID = attrgetter("unique_id")
BATCH = 500
"""Most names in one statement: both engines bound the parameters of a statement."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Document:
    """What a repository knows of a document besides its bytes. ``sha1`` is the DocumentEntry's hash, in lower case."""

    repository_unique_id: str
    unique_id: UniqueId
    content: Content
    sha1: str
    mime_type: str


def record(connection: Connection, new: Iterable[Document], now: datetime) -> None:
    """Make documents retrievable; Rejected if a uniqueId is bound to other bytes, which are never replaced.

    A uniqueId that is retrievable with the same bytes keeps the mimeType with which it was first stored.
    """
    brought = sorted(new, key=UNIQUE_ID)
    moment = _moment(connection, now)
    # Of two submissions at once, the second waits and finds what the first one stored.
    inserted = _INSERTIONS[connection.dialect.name].inserted(connection, [_row(each, moment) for each in brought])
    if len(inserted) == len(brought):
        return
    stored = {id for (id,) in inserted}
    repeated = [
        each for before, each in zip((None, *brought), brought, strict=False) if _is_known(before, each, stored)
    ]
    found = [breach for each in repeated for breach in _repeat(connection, each)]
    if found:
        raise Rejected(*found)


def documents(
    connection: Connection, repository_unique_id: str, ids: Iterable[UniqueId]
) -> Mapping[UniqueId, Document]:
    """Find the documents of a repository that may be retrieved, by uniqueId."""
    rows = _NAMED.rows(connection, {"repository": repository_unique_id, "ids": set(ids)})
    found = [_document(row) for row in rows]
    return {each.unique_id: each for each in found}


def remove(connection: Connection, repository_unique_id: str, unique_id: UniqueId, now: datetime) -> bool:
    """Make a document irretrievable; False if it was not retrievable. The uniqueId stays bound to its bytes."""
    this = _is(repository_unique_id, unique_id) & document.c.removed_at.is_(None)
    return connection.execute(update(document).where(this).values(removed_at=now)).rowcount == 1


def is_referenced(connection: Connection, name: str) -> bool:
    """Claim that a retrievable document of any repository consists of the bytes of this name (``Content.name``)."""
    digest, _, place = name.partition(".")
    if place:
        return _WITH_BYTES_AT.first(connection, {"digest": digest, "place": place}) is not None
    return _WITH_BYTES.first(connection, {"digest": digest}) is not None


def referenced_among(connection: Connection, names: Iterable[str]) -> set[str]:
    """Which of these names some retrievable document has; at most ``BATCH`` of them."""
    asked = set(names)
    rows = select(document.c.sha256, document.c.place).where(
        document.c.sha256.in_({name[:64] for name in asked}), document.c.removed_at.is_(None)
    )
    held = [(row.sha256, row.place) for row in connection.execute(rows)]
    wanted = {digest for digest, _ in held} | {f"{digest}.{place}" for digest, place in held if place}
    return asked & wanted


def was_removed(connection: Connection, name: str, since: datetime) -> bool:
    """Claim that a document that consisted of the bytes of this name was removed, and not before ``since``."""
    digest, _, place = name.partition(".")
    this = document.c.sha256 == digest, func.coalesce(document.c.place, "") == place, document.c.removed_at >= since
    return connection.execute(select(document.c.sha256).where(*this).limit(1)).first() is not None


def contents(connection: Connection, after: str, count: int) -> list[Content]:
    """The bytes of retrievable documents in the order of their names, each once: the next ``count`` after a name."""
    digest, _, place = after.partition(".")
    here = func.coalesce(document.c.place, "")
    rows = (
        select(document.c.sha256, document.c.size, document.c.place)
        .where(
            document.c.removed_at.is_(None),
            (document.c.sha256 > digest) | ((document.c.sha256 == digest) & (here > place)) if after else true(),
        )
        .group_by(document.c.sha256, document.c.size, document.c.place)
        .order_by(document.c.sha256, here)
        .limit(count)
    )
    return [Content(sha256=row.sha256, size=row.size, place=row.place) for row in connection.execute(rows)]


def count_retrievable(connection: Connection) -> tuple[int, int]:
    """How many documents may be retrieved, and how many bytes they have."""
    rows = select(func.count(), func.coalesce(func.sum(document.c.size), 0)).where(document.c.removed_at.is_(None))
    count, size = connection.execute(rows).one()
    return int(count), int(size)


def ids_of(connection: Connection, content: Content) -> list[str]:
    """The uniqueIds of the retrievable documents that consist of these bytes."""
    here = func.coalesce(document.c.place, "") == (content.place or "")
    rows = select(document.c.unique_id).where(
        document.c.sha256 == content.sha256, here, document.c.removed_at.is_(None)
    )
    return list(connection.execute(rows.order_by(document.c.unique_id)).scalars())


def _is_known(before: Document | None, new: Document, stored: Collection[str]) -> bool:
    """Claim that the uniqueId was there already, of one ``before`` it in the same submission, too."""
    return new.unique_id not in stored or (before is not None and before.unique_id == new.unique_id)


def _row(new: Document, now: Any) -> tuple[Any, ...]:
    """In the order of the table's columns."""
    content = new.content
    identity = (new.repository_unique_id, new.unique_id, content.sha256, content.place)
    return (*identity, new.sha1, content.size, new.mime_type, now, None)


def _moment(connection: Connection, moment: datetime) -> Any:
    """A moment as the driver takes it: SQLite's knows none."""
    spell = _spelling(connection.dialect)
    return spell(moment) if spell else moment


@lru_cache(maxsize=8)
def _spelling(dialect: Dialect) -> Callable[[datetime], Any] | None:
    return document.c.stored_at.type.dialect_impl(dialect).bind_processor(dialect)


def _repeat(connection: Connection, new: Document) -> Iterator[Breach]:
    """Accept the same bytes again, also after their removal; yield how other bytes differ (ITI TF-3: 4.2.3.2.26)."""
    this = _is(new.repository_unique_id, new.unique_id)
    known = _document(connection.execute(select(*_COLUMNS).where(this)).one())
    if (known.content.sha256, known.content.size) == (new.content.sha256, new.content.size):
        removed = this & document.c.removed_at.is_not(None)
        back = {"removed_at": None, "mime_type": new.mime_type, "place": new.content.place}
        connection.execute(update(document).where(removed).values(back))
    elif known.content.size != new.content.size:
        yield _differs(ErrorCode.NON_IDENTICAL_SIZE, new, str(new.content.size), str(known.content.size))
    else:
        yield _differs(ErrorCode.NON_IDENTICAL_HASH, new, new.sha1, known.sha1)


def _differs(code: ErrorCode, new: Document, observed: str, expected: str) -> Breach:
    return Breach(
        code=code,
        text=f"The uniqueId {new.unique_id} is already the id of a document with other bytes",
        location=new.unique_id,
        observed=observed,
        expected=expected,
        citation=tf2("3.41.4.1.3.2"),
        remedy="Give a changed document a new uniqueId and submit it as a replacement (RPLC)",
    )


def _is(repository_unique_id: str, unique_id: UniqueId) -> ColumnElement[bool]:
    return (document.c.repository_unique_id == repository_unique_id) & (document.c.unique_id == unique_id)


def _document(row: Sequence[Any]) -> Document:
    repository_unique_id, unique_id, sha256, size, place, sha1, mime_type = row
    return Document(
        repository_unique_id=repository_unique_id,
        unique_id=UniqueId(unique_id),
        content=Content(sha256=sha256, size=size, place=place),
        sha1=sha1,
        mime_type=mime_type,
    )
