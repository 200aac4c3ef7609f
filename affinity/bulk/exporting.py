"""The index as a file of patients: a line for each source record, or for each person by its golden view."""

from collections.abc import Callable, Iterable
from typing import TextIO

from sqlalchemy import Connection

from affinity.bulk.formats import Format
from affinity.bulk.line import PatientLine
from ihe.datatypes import HD
from ihe.domain import AffinityDomain, AssigningAuthority
from ihe.exchange import Transactor
from pix import candidates, pages, store_export
from pix.golden import GoldenView
from pix.manager import PatientIndex
from pix.model import Identifier
from pix.state import NationalId
from pix.store_records import Record


def export(
    database: Transactor[Connection],
    domain: AffinityDomain,
    format: Format,
    file: TextIO,
    written: Callable[[int], None],
) -> int:
    """Write every record of one snapshot of the database; how many. ``written`` is told after each how many so far.

    Records that were merged into others, or never announced, are none.
    """

    def work(connection: Connection) -> int:
        file.write(format.header)
        count = 0
        for record, nationals in store_export.records(connection):
            file.write(format.write(_line(domain, record, nationals)))
            count += 1
            written(count)
        return count

    return database.read(work)


def export_golden(index: PatientIndex, format: Format, file: TextIO, written: Callable[[int], None]) -> int:
    """Write every person of one snapshot with all its ids; how many. The source of each line is this node itself."""

    def work(connection: Connection) -> int:
        file.write(format.header)
        count = 0
        for persons in store_export.persons(connection):
            views = pages.golden_views(connection, persons, index.survivorship)
            identifiers = candidates.identifiers_of(connection, index.domain, persons)
            for person in persons:
                file.write(format.write(_golden_line(index.domain, views[person], identifiers[person])))
                count += 1
                written(count)
        return count

    return index.database.read(work)


def _golden_line(domain: AffinityDomain, view: GoldenView, identifiers: tuple[Identifier, ...]) -> PatientLine:
    source = f"{domain.application}|{domain.facility}"
    return PatientLine(source=source, identifiers=identifiers, demographics=view.demographics)


def _line(domain: AffinityDomain, record: Record, nationals: Iterable[NationalId]) -> PatientLine:
    own = Identifier(authority=_authority(domain, record.authority), id=record.id, type_code=record.type_code)
    others = (
        Identifier(authority=_authority(domain, each.authority), id=each.id, type_code=each.type_code)
        for each in nationals
    )
    return PatientLine(
        source=record.source,
        identifiers=tuple(dict.fromkeys((own, *others))),
        demographics=record.demographics,
    )


def _authority(domain: AffinityDomain, oid: str) -> AssigningAuthority:
    """The authority as the domain has it; one that was taken out of the domain since is its OID alone."""
    return domain.authority(HD("", oid, "ISO")) or AssigningAuthority(namespace_id="", oid=oid)
