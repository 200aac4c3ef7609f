"""The registry's documents as access rights look at them."""

from collections.abc import Collection, Iterator

from sqlalchemy import Connection, false, select

from consent.case import Described
from ihe.identifiers import PatientKey, UniqueId
from xds.tables import document_entry

_ALL = (
    select(
        document_entry.c.patient_key,
        document_entry.c.unique_id,
        document_entry.c.class_code,
        document_entry.c.type_code,
        document_entry.c.confidentiality_code,
        document_entry.c.author_person,
    )
    .where(document_entry.c.superseded == false())
    .order_by(document_entry.c.patient_key, document_entry.c.id)
)


def documents(
    connection: Connection, keys: Collection[PatientKey], unique_id: UniqueId | None = None
) -> Iterator[Described]:
    """The latest versions of a patient's documents, or of one of them."""
    query = _ALL.where(document_entry.c.patient_key.in_(keys))
    if unique_id is not None:
        query = query.where(document_entry.c.unique_id == unique_id)
    for key, id, class_code, type_code, confidentiality, authors in connection.execute(query):
        yield Described(
            key=PatientKey(key),
            unique_id=UniqueId(id),
            class_code=class_code,
            type_code=type_code,
            confidentiality=tuple(confidentiality),
            authors=tuple(authors),
        )
