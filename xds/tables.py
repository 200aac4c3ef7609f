"""Tables of the registry: one row per object, what queries compare as columns, the ready ebRIM fragment beside them.

Rows are keyed ``(patient_key, id)``: ``id`` grows with time of registration, ``patient_key`` never changes (a merge
sets the survivor in the patient index), so it can be the shard key. ``object_locator`` and ``unique_id_locator`` find
an object without its patient; ``uid_ledger`` settles races for a uniqueId. No constraint spans patients.

``fragment`` is packed, and read with ``xds.fragments.splice``, which sets status, home, version, patient id and
lastUpdateTime.
"""

from typing import Any

from sqlalchemy import (
    JSON,
    BigInteger,
    Boolean,
    Column,
    DateTime,
    Enum,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    String,
    Table,
    Text,
    UniqueConstraint,
)
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.functions import GenericFunction

from xds.model import (
    AssociationType,
    AvailabilityStatus,
    DocumentAvailability,
    MetadataObject,
    ObjectType,
    SubmissionSetStatus,
)

metadata = MetaData()

VALUES = JSON().with_variant(JSONB(), "postgresql")
"""A JSON array of strings; see ``elements``."""


class elements(GenericFunction[Any]):  # noqa: N801 - used like a function, as sqlalchemy.func members are
    """The values of an array column as a table, for ``EXISTS``:

    ``values = elements(table.c.event_code_list).table_valued("value")`` then
    ``exists().select_from(values).where(values.c.value.in_(wanted))``. One row per value, compared with its case.
    """

    name = "json_each"
    inherit_cache = True


@compiles(elements, "postgresql")
def _elements_on_postgresql(element: elements, compiler: Any, **options: Any) -> str:
    return f"jsonb_array_elements_text({compiler.process(element.clauses, **options)})"


def _registered_object() -> tuple[Column[Any], ...]:
    """What all four kinds share. ``status``, ``home`` and ``version`` are spliced into answers."""
    return (
        Column("patient_key", BigInteger, primary_key=True, autoincrement=False),
        Column("id", BigInteger, primary_key=True, autoincrement=False),  # order of registration, set by the registry
        Column("entry_uuid", String(45), nullable=False),
        Column("logical_id", String(45), nullable=False),  # lid; equals entry_uuid in the first version
        Column("version", Integer, nullable=False),  # VersionInfo/@versionName
        Column("status", _enum(AvailabilityStatus), nullable=False),
        Column("home", Text),  # homeCommunityId as sent, urn:oid:...; null: answered without, or with the domain's own
        Column("fragment", LargeBinary, nullable=False),
    )


def _superseded() -> Column[Any]:
    """True once a newer version of the logical object exists, possibly of another patient (XDS Metadata Update: 4.1.5).

    A query of metadata level 1 passes over it (XDS Metadata Update: 3.18.4.1.2.3.5.1.1).
    """
    return Column("superseded", Boolean, nullable=False, default=False)


def _enum(values: type[Any]) -> Enum:
    """Stored by the member's name, so that rows stay small and readable."""
    return Enum(values, native_enum=False, length=32)


document_entry = Table(
    "document_entry",
    metadata,
    *_registered_object(),
    Column("unique_id", Text, nullable=False),
    Column("object_type", _enum(ObjectType), nullable=False),
    Column("repository_unique_id", Text),
    Column("hash", String(40)),  # lower case; null for on-demand entries
    Column("size", BigInteger),  # bytes; null for on-demand entries
    _superseded(),
    Column("document_availability", _enum(DocumentAvailability), nullable=False),
    Column("creation_time", String(14)),  # times: first second that the DTM covers, UTC
    Column("service_start_time", String(14)),
    Column("service_stop_time", String(14)),
    Column("class_code", Text),  # codes: code^^scheme
    Column("type_code", Text),
    Column("format_code", Text),
    Column("healthcare_facility_type_code", Text),
    Column("practice_setting_code", Text),
    Column("event_code_list", VALUES, nullable=False),
    Column("confidentiality_code", VALUES, nullable=False),
    Column("author_person", VALUES, nullable=False),  # one XCN per author that names a person
    Column("reference_id_list", VALUES, nullable=False),  # CXi values as sent
    UniqueConstraint("logical_id", "version", "patient_key"),  # in this order it also finds every version
)
submission_set = Table(
    "submission_set",
    metadata,
    *_registered_object(),
    Column("unique_id", Text, nullable=False),
    Column("source_id", Text, nullable=False),
    Column("submission_time", String(14), nullable=False),
    Column("content_type_code", Text),
    Column("author_person", VALUES, nullable=False),
)
folder = Table(
    "folder",
    metadata,
    *_registered_object(),
    Column("unique_id", Text, nullable=False),
    _superseded(),
    Column("last_update_time", String(14), nullable=False),  # set by the registry, spliced into answers
    Column("code_list", VALUES, nullable=False),
    UniqueConstraint("logical_id", "version", "patient_key"),
)
association = Table(
    "association",
    metadata,
    *_registered_object(),  # patient_key is that of the SubmissionSet that brought the association
    Column("association_type", _enum(AssociationType), nullable=False),
    Column("source_object", String(45), nullable=False),
    Column("target_object", String(45), nullable=False),
    Column("submission_set_status", _enum(SubmissionSetStatus)),  # SS-DE HasMember only
    # Both ends are found without the patient: a document included by reference may belong to another one.
    Index("association_source", "source_object"),
    Index("association_target", "target_object"),
)

object_locator = Table(
    "object_locator",
    metadata,
    Column("entry_uuid", String(45), primary_key=True),
    Column("kind", _enum(MetadataObject), nullable=False),
    Column("patient_key", BigInteger, nullable=False),
    Column("id", BigInteger, nullable=False),
    sqlite_with_rowid=False,
)
unique_id_locator = Table(
    "unique_id_locator",
    metadata,
    Column("unique_id", Text, primary_key=True),
    Column("entry_uuid", String(45), primary_key=True),
    Column("kind", _enum(MetadataObject), nullable=False),
    Column("patient_key", BigInteger, nullable=False),
    Column("id", BigInteger, nullable=False),
    sqlite_with_rowid=False,
)
uid_ledger = Table(
    "uid_ledger",
    metadata,
    Column("unique_id", Text, primary_key=True),
    Column("kind", _enum(MetadataObject), nullable=False),
    Column("hash", String(40)),  # lower case; null unless a stable DocumentEntry carries the uniqueId
    Column("size", BigInteger),
    sqlite_with_rowid=False,
)

document = Table(
    "document",  # the repository's own: it knows no patient
    metadata,
    Column("repository_unique_id", Text, primary_key=True),
    Column("unique_id", Text, primary_key=True),
    Column("sha256", String(64), nullable=False, index=True),  # lower case; where the bytes are
    Column("place", String(16)),  # and which of several copies there, in a store that keeps one of each submission
    Column("sha1", String(40), nullable=False),  # lower case; DocumentEntry.hash
    Column("size", BigInteger, nullable=False),  # bytes
    Column("mime_type", Text, nullable=False),
    Column("stored_at", DateTime(timezone=True), nullable=False),
    Column("removed_at", DateTime(timezone=True)),  # null while retrievable; a uniqueId stays bound to its bytes
)

TABLE_OF: dict[MetadataObject, Table] = {
    MetadataObject.SUBMISSION_SET: submission_set,
    MetadataObject.DOCUMENT_ENTRY: document_entry,
    MetadataObject.FOLDER: folder,
    MetadataObject.ASSOCIATION: association,
}
