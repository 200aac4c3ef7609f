"""Questions to the index: which ids correspond, who is like this, pages of a long answer (ITI TF-2: 3.9, 3.21)."""

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime
from functools import partial
from typing import Protocol

from sqlalchemy import Connection

from ihe.domain import AffinityDomain, AssigningAuthority
from ihe.exchange import Transactor
from pix import candidates, found, pages
from pix.candidates import Result
from pix.found import Limits
from pix.golden import Survivorship
from pix.model import Identifier
from pix.queries import CandidateQuery, Page

POINTER = "p"
"""Separates, in a continuation pointer, the name of a frozen result from the number of the next candidate."""


class Supplier(Protocol):
    """What a question needs of the index."""

    @property
    def domain(self) -> AffinityDomain:
        """The authorities whose ids may be answered."""

    @property
    def database(self) -> Transactor[Connection]:
        """Where records and frozen results are."""

    @property
    def clock(self) -> Callable[[], datetime]:
        """The time with its zone: results are kept for some minutes."""

    @property
    def survivorship(self) -> Survivorship:
        """Whose word counts in the golden view."""

    @property
    def search_limits(self) -> Limits:
        """How long one search may take, and how much it may find."""


def corresponding(
    supplier: Supplier, identifier: Identifier, domains: tuple[AssigningAuthority, ...]
) -> tuple[Identifier, ...] | None:
    """The person's other ids, in ``domains`` or all, grouped by domain; None if ``identifier`` is unknown.

    A national id that contradicting records carry corresponds to nothing: possible matches are not communicated until
    a positive matching decision is reached (ITI TF-2: 3.9.4.2.2.6).
    """

    def work(connection: Connection) -> tuple[Identifier, ...] | None:
        persons = candidates.identifiers_beside(connection, supplier.domain, identifier)
        if len(persons) != 1:
            return () if persons else None
        (identifiers,) = persons.values()
        wanted = candidates.oids(domains)
        return tuple(
            each for each in identifiers if each != identifier and (not wanted or each.authority.oid in wanted)
        )

    return supplier.database.read(work)


def find(supplier: Supplier, query: CandidateQuery) -> Page:
    """Search. Rejected: too broad, or it took too long."""

    def search(connection: Connection) -> Result:
        persons = found.matching(connection, query, supplier.search_limits)
        return candidates.freeze(candidates.with_domains(connection, persons, candidates.oids(query.domains)), query)

    return first_page(supplier, query, search)


def first_page(supplier: Supplier, query: CandidateQuery, search: Callable[[Connection], Result]) -> Page:
    """The first page of what ``search`` finds; the rest is kept for ``more`` and ``continued``."""

    def work(connection: Connection) -> tuple[Result, Page, bool]:
        result = search(connection)
        page = _page(supplier, connection, result, 1, query.quantity)
        older = query.continued_by_tag and not page.remaining
        return result, page, older and candidates.are_kept(connection, query.owner, query.tag)

    result, page, has_older = supplier.database.read(work)
    if has_older:
        supplier.database.write(lambda connection: candidates.forget(connection, query.owner, query.tag))
    if not page.remaining:
        return page
    name = supplier.database.write(lambda connection: candidates.keep(connection, result, query, supplier.clock()))
    return _pointing(page, name)


def more(supplier: Supplier, pointer: str, quantity: int | None, owner: str) -> Page | None:
    """The page that ``pointer`` names; None if it is unknown, cancelled, too old, or another sender's."""
    name, _, number = pointer.partition(POINTER)
    if not name or not (number.isascii() and number.isdecimal()) or len(number) > 9:
        return None

    def work(connection: Connection) -> Page | None:
        kept = candidates.kept(connection, owner, supplier.clock(), token=name)
        if kept is None or not 1 <= int(number) <= len(kept.result.keys):
            return None
        return _pointing(_page(supplier, connection, kept.result, int(number), quantity), name)

    return supplier.database.read(work)


def continued(supplier: Supplier, tag: str, start: int | None, quantity: int | None, owner: str) -> Page | None:
    """The page of query ``tag`` from result number ``start`` (1-based), or from where the last page ended.

    Of two who go on at once each gets a page of its own.
    """
    go_on = candidates.advance if start else candidates.advance_from
    first = start

    def work(connection: Connection) -> tuple[Page, str, int | None] | None:
        kept = candidates.kept(connection, owner, supplier.clock(), tag=tag)
        if kept is None:
            return None
        most = quantity or kept.quantity
        return _page(supplier, connection, kept.result, first or kept.next, most), kept.token, most

    # Read on one snapshot, which a transaction that writes does not have on PostgreSQL.
    while found := supplier.database.read(work):
        page, token, most = found
        first = supplier.database.write(partial(go_on, token=token, page=page, quantity=most))
        if first is None:
            return _pointing(page, token)
    return None


def _page(supplier: Supplier, connection: Connection, result: Result, start: int, quantity: int | None) -> Page:
    return pages.page(connection, supplier.domain, supplier.survivorship, result, start, quantity)


def _pointing(page: Page, name: str) -> Page:
    return replace(page, pointer=f"{name}{POINTER}{page.following}" if page.remaining else None)
