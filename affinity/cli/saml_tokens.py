"""What ``affinity saml`` works with: the development node's issuer, the issuers of the settings, the circumstances."""

from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding

from affinity.cli.soap_targets import demo_role
from affinity.cli.targets import domain_of
from affinity.cli.verbs import wrong_use
from affinity.development import STS_ISSUER, own_issuer
from affinity.domain import load as load_domain
from affinity.domain_model import LoadedDomain
from affinity.doors import audiences, issuers
from affinity.settings import Settings, load
from soap.xml import serialize
from xua.conditions import Circumstances
from xua.envelope import security_header
from xua.names import SOAP
from xua.sts import Defect, DevelopmentSTS, open_sts
from xua.trust import Trust


@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    """The assertion that is asked for, as it was typed."""

    role: str
    audience: str | None
    patient: str | None
    defect: str | None
    data: Path | None
    soap: bool


def issued(order: Order) -> bytes:
    """The assertion, or a SOAP message with it. Stopped where the directory holds no development node."""
    settings = load(None, {} if order.data is None else {"data": order.data})
    sts = development_sts(settings)
    if sts is None:
        raise wrong_use(
            f"{settings.data} holds no development node; start one there once with `affinity up`, or name another "
            "with --data"
        )
    assertion = sts.issue(
        demo_role(order.role),
        datetime.now(UTC),
        order.audience or audiences(settings, _loaded(settings, domain_is_given=False))[0],
        resource_id=order.patient,
        defect=_defect(order.defect),
    )
    return _message(security_header(assertion)) if order.soap else serialize(assertion)


def trusted(settings: Settings, *, domain_is_given: bool) -> Trust:
    """The issuers of the settings, and that of the development node whose data they name, if there is one."""
    loaded, sts = _loaded(settings, domain_is_given=domain_is_given), development_sts(settings)
    own = () if sts is None else (own_issuer(sts, loaded),)
    return issuers(settings, loaded, *own).store.current


def circumstances(settings: Settings, at: datetime | None, client_certificate: Path | None) -> Circumstances:
    """Now or then, for our audiences, through that client certificate."""
    loaded = _loaded(settings, domain_is_given=settings.xua.audience != ())
    shown = None if client_certificate is None else client_certificate.read_bytes()
    return Circumstances(
        now=datetime.now(UTC) if at is None else at.replace(tzinfo=at.tzinfo or UTC),
        audiences=frozenset(audiences(settings, loaded)),
        client_certificate=shown and x509.load_pem_x509_certificates(shown)[0].public_bytes(Encoding.DER),
    )


def _loaded(settings: Settings, *, domain_is_given: bool) -> LoadedDomain:
    """The domain that was named, else the one with which the data directory was last used."""
    return load_domain(settings.domain if domain_is_given else domain_of(settings))


def development_sts(settings: Settings) -> DevelopmentSTS | None:
    """The issuer of the development node whose data the settings name; None where there is none."""
    certificate, key = (settings.data / "pki" / f"sts.{part}.pem" for part in ("crt", "key"))
    if not certificate.is_file() or not key.is_file():
        return None
    return open_sts(STS_ISSUER, key.read_bytes(), certificate.read_bytes())


def _defect(written: str | None) -> Defect | None:
    try:
        return None if written is None else Defect(written)
    except ValueError:
        raise wrong_use(f"--defect is one of {', '.join(Defect)}, not {written!r}") from None


def _message(header: bytes) -> bytes:
    return b'<env:Envelope xmlns:env="%b"><env:Header>%b</env:Header><env:Body/></env:Envelope>' % (
        SOAP.encode(),
        header,
    )
