"""``partners/NAME.toml`` of a domain directory: one agreement with a node, as written (ITI TF-2: 3.19.6.1)."""

import re
from datetime import date
from typing import Annotated, Literal, Self

from cryptography import x509
from pydantic import AfterValidator, BeforeValidator, Field, StringConstraints, model_validator

from affinity.catalogue import TRANSACTIONS
from affinity.domain_files import OID, Display, Table, Text
from ihe.partners import Quirk, Validation

ANY = "*"
IDS = tuple(each.id for each in TRANSACTIONS)
HEADER = re.compile(r"[A-Za-z][A-Za-z0-9-]{0,63}")


def _fingerprint(text: str) -> str:
    digits = text.replace(":", "").lower()
    if not re.fullmatch(r"[0-9a-f]{64}", digits):
        raise ValueError("must be the SHA-256 of the certificate: 64 hexadecimal digits, with or without colons")
    return digits


def _distinguished_name(text: str) -> str:
    try:
        return x509.Name.from_rfc4514_string(text).rfc4514_string()
    except ValueError:
        raise ValueError('must be a name as RFC 4514 writes it, such as "CN=lis.example.org,O=Laboratory"') from None


def _transaction(text: str) -> str:
    if text != ANY and text not in IDS:
        raise ValueError(f'{text} is neither "*" nor one of: {", ".join(IDS)}')
    return text


def _quirk(value: object) -> object:
    if isinstance(value, str) and value not in tuple(Quirk):
        raise ValueError(f"is none of: {', '.join(Quirk)}")
    return Quirk(value) if isinstance(value, str) else value


def _header(text: str) -> str:
    if not HEADER.fullmatch(text):
        raise ValueError("must be the name of an HTTP header, such as Client-Cert")
    return text


DistinguishedName = Annotated[str, AfterValidator(_distinguished_name)]
AlternativeName = Annotated[str, StringConstraints(pattern=r"^(dns|uri|email|ip):\S+$")]
Transaction = Annotated[str, AfterValidator(_transaction)]


class CertificateTable(Table):
    """One way to know the partner's certificate: pinned, or by a name that one authority has certified."""

    sha256: Annotated[str, AfterValidator(_fingerprint)] | None = None
    subject: DistinguishedName | None = None
    san: AlternativeName | None = None
    authority: DistinguishedName | None = None

    @model_validator(mode="after")
    def _is_one_way(self) -> Self:
        named = self.subject is not None or self.san is not None
        if (self.sha256 is None) != named:
            raise ValueError("give either sha256, or subject or san together with authority")
        if named != (self.authority is not None):
            raise ValueError(
                "subject and san need authority, the subject of who issues the certificate; sha256 needs none"
            )
        return self


class SourcesTable(Table):
    """As whom the partner speaks: ``MSH-3|MSH-4``, v3 device ids, sourceId of submissions; or as anybody."""

    hl7v2: tuple[Annotated[str, StringConstraints(pattern=r"^[^|]*\|[^|]*$")], ...] = ()
    hl7v3: tuple[OID, ...] = ()
    documents: tuple[OID, ...] = ()
    anybody: bool = False


class XUATable(Table):
    """Whose assertions the partner may show, and of which profile; nothing: any that the node trusts."""

    issuers: tuple[Text, ...] = ()
    profile: Text | None = None


class QuirkTable(Table):
    """A deviation that is taken until the end of a day, and why."""

    name: Annotated[Quirk, BeforeValidator(_quirk)]
    until: date
    reason: Text


class LimitsTable(Table):
    """What the partner may ask of us; None: no more than anybody."""

    requests_per_second: Annotated[float, Field(gt=0, le=100_000)] | None = None
    burst: Annotated[int, Field(ge=1)] | None = None
    connections: Annotated[int, Field(ge=1)] | None = None

    @model_validator(mode="after")
    def _burst_is_of_a_rate(self) -> Self:
        if self.burst is not None and self.requests_per_second is None:
            raise ValueError("burst needs requests_per_second")
        return self


class ProxyTable(Table):
    """The partner ends TLS for others, and says in one header whose certificate it has seen (RFC 9440, or nginx)."""

    header: Annotated[str, AfterValidator(_header)] = "Client-Cert"
    encoding: Literal["rfc9440", "url-pem"] = "rfc9440"


class PartnerFile(Table):
    """partners/NAME.toml."""

    transactions: tuple[Transaction, ...]
    validation: Validation = Validation.STRICT
    display: Display = Field(default_factory=dict)
    certificate: tuple[CertificateTable, ...] = ()
    sources: SourcesTable = SourcesTable()
    xua: XUATable = XUATable()
    quirk: tuple[QuirkTable, ...] = ()
    limits: LimitsTable = LimitsTable()
    proxy: ProxyTable | None = None
    monitoring: bool = False
    """Whether it reads ``/metrics``."""
