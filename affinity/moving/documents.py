"""The documents of a node: each read and verified, stored elsewhere under the same name, and verified there."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

from affinity.database import Database
from xds import repository_store
from xds.documents import Content, DocumentStore
from xds.encryption import DamagedDocument, UnknownKey
from xds.tables import document

PAGE = 500
COLUMNS = [column.name for column in document.columns]


@dataclass(frozen=True, slots=True)
class Copier:
    """Copies documents from store to store. ``copied`` is told of each that is there now, ``lost`` of damaged ones."""

    source: DocumentStore
    target: DocumentStore
    copied: Callable[[Content], None]
    lost: Callable[[Content], None]

    def copy_all(self, database: Database) -> None:
        """Copy what the target does not have yet. Raises StoreUnavailable; what is there stays there."""
        after = ""
        while page := self._page(database, after):
            for content in page:
                self.copy(content)
            after = page[-1].name

    def copy_rows(self, rows: Iterable[tuple[Any, ...] | None]) -> None:
        """Copy the documents of these rows of their table."""
        for row in rows:
            if row is not None:
                held = dict(zip(COLUMNS, row, strict=True))
                if held["removed_at"] is None:
                    self.copy(Content(sha256=held["sha256"], size=held["size"], place=held["place"]))

    def copy(self, content: Content) -> None:
        """Copy one document, unless it is there."""
        try:
            if not self._is_there(content):
                self._copy(content)
        except (DamagedDocument, UnknownKey):
            self.lost(content)
        else:
            self.copied(content)

    def _is_there(self, content: Content) -> bool:
        try:
            self.target.check(content)
        except DamagedDocument:
            return False
        return True

    def _copy(self, content: Content) -> None:
        sink = self.target.create()
        try:
            for piece in self.source.open(content):
                sink.write(piece)
            part = sink.finish("", "")
            if part.sha256 != content.sha256:
                raise DamagedDocument("the stored bytes do not have the SHA-256 under which they are stored")
            self.target.keep(part, content)
        finally:
            sink.discard()

    def _page(self, database: Database, after: str) -> list[Content]:
        return database.read(lambda connection: repository_store.contents(connection, after, PAGE))
