"""RegistryResponse and RegistryErrorList as bytes (ITI TF-3: 4.2.4; ebRS 3.0)."""

from collections.abc import Iterable

from ihe.errors import Breach, Severity
from ihe.vocabulary import Vocabulary
from soap.xml import escape

RS = "urn:oasis:names:tc:ebxml-regrep:xsd:rs:3.0"


class ResponseStatus(Vocabulary):
    """How a request ended. Submissions know no partial success (ITI TF-3: 4.2.4)."""

    SUCCESS = "urn:oasis:names:tc:ebxml-regrep:ResponseStatusType:Success"
    PARTIAL_SUCCESS = "urn:ihe:iti:2007:ResponseStatusType:PartialSuccess"
    FAILURE = "urn:oasis:names:tc:ebxml-regrep:ResponseStatusType:Failure"


def submission_status(breaches: Iterable[Breach]) -> ResponseStatus:
    """Failure if there is an error, Success if there are only warnings (ITI TF-3: Table 4.2.4.2-2)."""
    failed = any(breach.severity is Severity.ERROR for breach in breaches)
    return ResponseStatus.FAILURE if failed else ResponseStatus.SUCCESS


def registry_response(status: ResponseStatus, breaches: Iterable[Breach] = ()) -> bytes:
    """The element rs:RegistryResponse, declaring its own namespace."""
    return b'<rs:RegistryResponse xmlns:rs="%s" status="%s">%s</rs:RegistryResponse>' % (
        RS.encode(),
        status.value.encode(),
        registry_error_list(breaches),
    )


def registry_error_list(breaches: Iterable[Breach]) -> bytes:
    """The element rs:RegistryErrorList, or nothing where there are no breaches. The prefix rs must be declared."""
    errors = tuple(breaches)
    if not errors:
        return b""
    worst = Severity.ERROR if any(each.severity is Severity.ERROR for each in errors) else Severity.WARNING
    listed = b"".join(_registry_error(each) for each in errors)
    return b'<rs:RegistryErrorList highestSeverity="%s">%s</rs:RegistryErrorList>' % (worst.value.encode(), listed)


def _registry_error(breach: Breach) -> bytes:
    return b'<rs:RegistryError errorCode="%s" codeContext="%s" severity="%s" location="%s"/>' % (
        escape(str(breach.code)),
        escape(breach.code_context),
        breach.severity.value.encode(),
        escape(breach.location),
    )
