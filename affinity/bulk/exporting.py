"""The index as a file of patients: one line for each source record, in the order in which they came."""

from collections.abc import Callable, Iterable
from typing import TextIO

from sqlalchemy import Connection

from affinity.bulk.formats import Format
from affinity.bulk.line import PatientLine
from ihe.datatypes import HD
from ihe.domain import AffinityDomain, AssigningAuthority
from ihe.exchange import Transactor
from pix import store_export
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
