"""Whether a proved assertion holds now, here and for this peer; asked again at every use (SAML Core 2.5, 2.4.1)."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

from xua.claims import Claims, Period, SubjectConfirmation
from xua.errors import AssertionRefused, Subcode
from xua.keys import Certificate, is_valid_at, subject_of
from xua.names import HOLDER_OF_KEY
from xua.steps import Step
from xua.trust import TrustedIssuer


@dataclass(frozen=True, slots=True)
class Token:
    """A proved assertion: what it says, who issued it, the certificate that proved it, and whether with SHA-1."""

    claims: Claims
    issuer: TrustedIssuer
    certificate: Certificate
    sha1: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Circumstances:
    """One use of a token: when, for which audiences, through which TLS client certificate (DER; None without one)."""

    now: datetime
    audiences: frozenset[str]
    client_certificate: bytes | None = None
    created: datetime | None = None
    expires: datetime | None = None


@dataclass(frozen=True, slots=True)
class Condition:
    """One question about a use of a token: ``check`` raises AssertionRefused, ``found`` says what there is."""

    step: Step
    check: Callable[[Token, Circumstances], None]
    found: Callable[[Token, Circumstances], str]


def check_conditions(token: Token, here: Circumstances) -> None:
    """Refuse a token that is out of its time, meant for somebody else, or not confirmed by its presenter."""
    for condition in CONDITIONS:
        condition.check(token, here)


def _check_message(token: Token, here: Circumstances) -> None:
    if here.created is None and here.expires is None:
        return
    if not _covers(Period(not_before=here.created, not_on_or_after=here.expires), here.now, token.issuer.clock_skew):
        raise AssertionRefused(Subcode.MESSAGE_EXPIRED, f"the timestamp {here.created} to {here.expires} is not now")


def _check_time(token: Token, here: Circumstances) -> None:
    claims, skew, now = token.claims, token.issuer.clock_skew, here.now
    if not _covers(claims.period, now, skew):
        raise _failed(f"not valid now: {claims.period.not_before} to {claims.period.not_on_or_after}, now {now}")
    if any(instant > now + skew for instant in claims.not_from_future):
        raise _failed("the assertion was issued, or the person authenticated, in the future")
    if not all(_covers(session, now, skew) for session in claims.sessions):
        raise _failed("the person's session at the issuer has ended")


def _check_certificate(token: Token, here: Circumstances) -> None:
    """Neither over nor revoked; with lists given, one of them must be its authority's."""
    if not is_valid_at(token.certificate, here.now):
        raise AssertionRefused(Subcode.FAILED_CHECK, "the issuer's certificate is not valid now")
    lists = [each for each in token.issuer.crls if each.covers(token.certificate)]
    if token.issuer.crls and not lists:
        raise AssertionRefused(Subcode.INVALID_SECURITY_TOKEN, "no revocation list speaks of the signer's certificate")
    for revoked in lists:
        revoked.check(token.certificate, here.now)


def _check_quirk(token: Token, here: Circumstances) -> None:
    if token.sha1 and not token.issuer.accepts_sha1(here.now):
        raise AssertionRefused(Subcode.UNSUPPORTED_ALGORITHM, "the time in which this issuer could use SHA-1 is over")


def _check_audience(token: Token, here: Circumstances) -> None:
    """Every AudienceRestriction names this node or its affinity domain (SAML Core 2.5.1.4)."""
    for audiences in token.claims.audiences:
        if not audiences & here.audiences:
            raise _failed(f"meant for {sorted(audiences)[:4]}, not for {sorted(here.audiences)[:4]}")


def _check_confirmations(token: Token, here: Circumstances) -> None:
    """SAML is content with one confirmation that holds; here all that are given must hold (SAML Core 2.4.1.1)."""
    for confirmation in token.claims.confirmations:
        _check_confirmation(confirmation, token, here)


def _check_confirmation(confirmation: SubjectConfirmation, token: Token, here: Circumstances) -> None:
    if confirmation.method not in token.issuer.profile.subject.confirmation_methods:
        raise _failed(f"the subject confirmation method {confirmation.method[:80]!r} is not supported")
    if not _covers(confirmation.period, here.now, token.issuer.clock_skew):
        raise _failed("the subject confirmation is not valid now")
    if confirmation.method == HOLDER_OF_KEY and here.client_certificate not in confirmation.certificates:
        raise _failed("the TLS client certificate is not that of the holder of the key")


def _covers(period: Period, now: datetime, skew: timedelta) -> bool:
    begun = period.not_before is None or period.not_before <= now + skew
    return begun and (period.not_on_or_after is None or now - skew < period.not_on_or_after)


def _failed(reason: str) -> AssertionRefused:
    return AssertionRefused(Subcode.FAILED_AUTHENTICATION, reason)


def _audiences_found(token: Token, here: Circumstances) -> str:
    meant = " and ".join(" or ".join(sorted(each)[:4]) for each in token.claims.audiences)
    return f"meant for {meant}; we are {' or '.join(sorted(here.audiences)[:4])}"


def _confirmations_found(token: Token, here: Circumstances) -> str:
    methods = ", ".join(each.method.rpartition(":")[2] for each in token.claims.confirmations) or "none"
    shown = "a TLS client certificate" if here.client_certificate else "no TLS client certificate"
    return f"{methods}; {shown}"


def _period_found(token: Token, here: Circumstances) -> str:
    return f"{token.claims.period.not_before} to {token.claims.period.not_on_or_after}, now {here.now}"


def _certificate_found(token: Token, here: Circumstances) -> str:
    until = token.certificate.not_valid_after_utc.date()
    return f"{subject_of(token.certificate)}, until {until}; {len(token.issuer.crls)} revocation lists"


def _quirk_found(token: Token, here: Circumstances) -> str:
    return f"SHA-1, until {token.issuer.sha1_until}" if token.sha1 else "SHA-2"


def _message_found(token: Token, here: Circumstances) -> str:
    return f"{here.created} to {here.expires}" if here.created or here.expires else "no timestamp"


CONDITIONS = (
    Condition(Step.TIMESTAMP, _check_message, _message_found),
    Condition(Step.PERIOD, _check_time, _period_found),
    Condition(Step.CERTIFICATE, _check_certificate, _certificate_found),
    Condition(Step.QUIRK, _check_quirk, _quirk_found),
    Condition(Step.AUDIENCE, _check_audience, _audiences_found),
    Condition(Step.CONFIRMATION, _check_confirmations, _confirmations_found),
)
