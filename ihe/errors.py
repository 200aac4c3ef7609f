"""One error inside: ``Rejected`` carries every breach; the edges alone translate it (soap.faults, hl7v2.ack)."""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from enum import IntEnum, StrEnum
from itertools import islice
from typing import Self

from ihe.citations import Citation
from ihe.vocabulary import Vocabulary


class ErrorCode(StrEnum):
    """ebXML error codes of the Document Sharing profiles (ITI TF-3: Table 4.2.4.1-2; RMD, Metadata Update)."""

    DOCUMENT_QUEUED = "DocumentQueued"
    INVALID_DOCUMENT_CONTENT = "InvalidDocumentContent"
    UNRESOLVED_REFERENCE = "UnresolvedReferenceException"
    DOCUMENT_UNIQUE_ID_ERROR = "XDSDocumentUniqueIdError"
    DUPLICATE_UNIQUE_ID_IN_REGISTRY = "XDSDuplicateUniqueIdInRegistry"
    EXTRA_METADATA_NOT_SAVED = "XDSExtraMetadataNotSaved"
    MISSING_DOCUMENT = "XDSMissingDocument"
    MISSING_DOCUMENT_METADATA = "XDSMissingDocumentMetadata"
    MISSING_HOME_COMMUNITY_ID = "XDSMissingHomeCommunityId"
    NON_IDENTICAL_HASH = "XDSNonIdenticalHash"
    NON_IDENTICAL_SIZE = "XDSNonIdenticalSize"
    PATIENT_ID_DOES_NOT_MATCH = "XDSPatientIdDoesNotMatch"
    REGISTRY_BUSY = "XDSRegistryBusy"
    REPOSITORY_BUSY = "XDSRepositoryBusy"
    REGISTRY_DEPRECATED_DOCUMENT = "XDSRegistryDeprecatedDocumentError"
    REGISTRY_DUPLICATE_UNIQUE_ID_IN_MESSAGE = "XDSRegistryDuplicateUniqueIdInMessage"
    REPOSITORY_DUPLICATE_UNIQUE_ID_IN_MESSAGE = "XDSRepositoryDuplicateUniqueIdInMessage"
    REGISTRY_ERROR = "XDSRegistryError"
    REPOSITORY_ERROR = "XDSRepositoryError"
    REGISTRY_METADATA_ERROR = "XDSRegistryMetadataError"
    REPOSITORY_METADATA_ERROR = "XDSRepositoryMetadataError"
    REGISTRY_NOT_AVAILABLE = "XDSRegistryNotAvailable"
    REGISTRY_OUT_OF_RESOURCES = "XDSRegistryOutOfResources"
    REPOSITORY_OUT_OF_RESOURCES = "XDSRepositoryOutOfResources"
    RESULT_NOT_SINGLE_PATIENT = "XDSResultNotSinglePatient"
    STORED_QUERY_MISSING_PARAM = "XDSStoredQueryMissingParam"
    STORED_QUERY_PARAM_NUMBER = "XDSStoredQueryParamNumber"
    TOO_MANY_RESULTS = "XDSTooManyResults"
    UNKNOWN_COMMUNITY = "XDSUnknownCommunity"
    UNKNOWN_PATIENT_ID = "XDSUnknownPatientId"
    UNKNOWN_REPOSITORY_ID = "XDSUnknownRepositoryId"
    UNKNOWN_STORED_QUERY = "XDSUnknownStoredQuery"
    # Metadata Update supplement, section 4.2.4.1
    METADATA_UPDATE_ERROR = "XDSMetadataUpdateError"
    PATIENT_ID_RECONCILIATION = "XDSPatientIDReconciliationError"
    METADATA_UPDATE_OPERATION = "XDSMetadataUpdateOperationError"
    METADATA_VERSION = "XDSMetadataVersionError"
    METADATA_IDENTIFIER = "XDSMetadataIdentifierError"
    INVALID_REQUEST = "XDSInvalidRequestException"
    # Remove Metadata and Documents supplement
    REFERENCES_EXIST = "ReferencesExistException"
    REMOVE_DOCUMENTS_ERROR = "XDSRemoveDocumentsError"
    UNREFERENCED_OBJECT = "XDSUnreferencedObjectException"


class HL7ErrorCode(IntEnum):
    """Message error condition codes (HL7 v2.5 table 0357; ITI TF-2: C.2.3)."""

    SEGMENT_SEQUENCE_ERROR = 100
    REQUIRED_FIELD_MISSING = 101
    DATA_TYPE_ERROR = 102
    TABLE_VALUE_NOT_FOUND = 103
    UNSUPPORTED_MESSAGE_TYPE = 200
    UNSUPPORTED_EVENT_CODE = 201
    UNSUPPORTED_PROCESSING_ID = 202
    UNSUPPORTED_VERSION_ID = 203
    UNKNOWN_KEY_IDENTIFIER = 204
    DUPLICATE_KEY_IDENTIFIER = 205
    APPLICATION_RECORD_LOCKED = 206
    APPLICATION_INTERNAL_ERROR = 207


class Severity(Vocabulary):
    """How bad a breach is; the value is the ebRS spelling (ITI TF-3: 4.2.4.1)."""

    ERROR = "urn:oasis:names:tc:ebxml-regrep:ErrorSeverityType:Error"
    WARNING = "urn:oasis:names:tc:ebxml-regrep:ErrorSeverityType:Warning"


@dataclass(frozen=True, slots=True, kw_only=True)
class Breach:
    """One thing that is wrong: what, where, the rule, and how to mend it.

    ``text`` is a sentence fit for the sender's screen and must hold no patient data beyond what the sender sent.
    ``location`` is an XPath, an object id, a slot or parameter name, or a segment position such as ``PID^1^3^1``.
    """

    code: ErrorCode | HL7ErrorCode
    text: str
    location: str = ""
    observed: str | None = None
    expected: str | None = None
    citation: Citation | None = None
    remedy: str = ""
    severity: Severity = Severity.ERROR
    assertions: tuple[str, ...] = ()
    """Ids of the catalogue of assertions that it breaks, where a rule has few of them."""

    @property
    def code_context(self) -> str:
        """The whole sentence that goes into codeContext, ERR-7/ERR-8 or acknowledgementDetail."""
        said = [self.text.rstrip(".")]
        if self.observed is not None:
            said.append(f"observed: {self.observed}")
        if self.expected is not None:
            said.append(f"expected: {self.expected}")
        if self.remedy:
            said.append(self.remedy.rstrip("."))
        rule = "; ".join((*([str(self.citation)] if self.citation else []), *self.assertions))
        return "; ".join(said) + (f" ({rule})" if rule else "")

    def within(self, most: int) -> Self:
        """The same with at most ``most`` characters of ``code_context``: what was sent and what is expected give way.

        The rule and the remedy are what the sender needs; a list of what might have been is not. The longer of the two
        gives way first, by half at most, so that something of both is told.
        """
        excess = len(self.code_context) - most
        observed, expected = self.observed or "", self.expected or ""
        longest = max(expected, observed, key=len)
        if excess <= 0 or len(longest) <= len(CUT):
            return self
        cut = longest[: max(len(longest) - excess, len(longest) // 2, len(CUT)) - len(CUT)] + CUT
        shorter = replace(self, expected=cut) if longest is expected else replace(self, observed=cut)
        return shorter.within(most)


CUT = "..."
LISTED = 8
"""So many of the values that are expected are told."""


def some_of(expected: Iterable[str]) -> str:
    """The first values of a list, and how many more there are."""
    values = iter(expected)
    first = ", ".join(islice(values, LISTED))
    more = sum(1 for _ in values)
    return f"{first} and {more} more" if more else first


class Rejected(Exception):
    """A request that breaks at least one rule. Collect every breach before raising."""

    def __init__(self, *breaches: Breach) -> None:
        super().__init__("; ".join(f"{breach.code}: {breach.text}" for breach in breaches))
        self.breaches = breaches

    @property
    def codes(self) -> set[ErrorCode | HL7ErrorCode]:
        """The distinct error codes, for tests and metrics."""
        return {breach.code for breach in self.breaches}
