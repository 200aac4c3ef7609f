"""Whether a proved assertion holds now, here and for this peer; asked again at every use (SAML Core 2.5, 2.4.1)."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from xua.claims import Claims, Period, SubjectConfirmation
from xua.errors import AssertionRefused, Subcode
from xua.keys import Certificate, is_valid_at
from xua.names import BEARER, HOLDER_OF_KEY
from xua.trust import TrustedIssuer


@dataclass(frozen=True, slots=True)
class Token:
    """A proved assertion: what it says, who issued it, and the certificate that proved it."""

    claims: Claims
    issuer: TrustedIssuer
    certificate: Certificate


@dataclass(frozen=True, slots=True, kw_only=True)
class Circumstances:
    """One use of a token: when, for which audiences, through which TLS client certificate (DER; None without one)."""

    now: datetime
    audiences: frozenset[str]
    client_certificate: bytes | None = None
    created: datetime | None = None
    expires: datetime | None = None


def check_conditions(token: Token, here: Circumstances) -> None:
    """Refuse a token that is out of its time, meant for somebody else, or not confirmed by its presenter."""
    _check_message(token.issuer.clock_skew, here)
    _check_time(token, here.now)
    _check_audience(token.claims, here.audiences)
    for confirmation in token.claims.confirmations:
        _check_confirmation(confirmation, token.issuer.clock_skew, here)


def _check_message(skew: timedelta, here: Circumstances) -> None:
    if not _covers(Period(not_before=here.created, not_on_or_after=here.expires), here.now, skew):
        raise AssertionRefused(Subcode.MESSAGE_EXPIRED, f"the timestamp {here.created} to {here.expires} is not now")


def _check_time(token: Token, now: datetime) -> None:
    claims, skew = token.claims, token.issuer.clock_skew
    if not _covers(claims.period, now, skew):
        raise _failed(f"not valid now: {claims.period.not_before} to {claims.period.not_on_or_after}, now {now}")
    if any(instant > now + skew for instant in claims.not_from_future):
        raise _failed("the assertion was issued, or the person authenticated, in the future")
    if not all(_covers(session, now, skew) for session in claims.sessions):
        raise _failed("the person's session at the issuer has ended")
    if not is_valid_at(token.certificate, now):
        raise AssertionRefused(Subcode.FAILED_CHECK, "the issuer's certificate is not valid now")


def _check_audience(claims: Claims, ours: frozenset[str]) -> None:
    """Every AudienceRestriction names this node or its affinity domain (SAML Core 2.5.1.4)."""
    for audiences in claims.audiences:
        if not audiences & ours:
            raise _failed(f"meant for {sorted(audiences)[:4]}, not for {sorted(ours)[:4]}")


def _check_confirmation(confirmation: SubjectConfirmation, skew: timedelta, here: Circumstances) -> None:
    """SAML is content with one confirmation that holds; here all that are given must hold (SAML Core 2.4.1.1)."""
    if confirmation.method not in (BEARER, HOLDER_OF_KEY):
        raise _failed(f"the subject confirmation method {confirmation.method[:80]!r} is not supported")
    if not _covers(confirmation.period, here.now, skew):
        raise _failed("the subject confirmation is not valid now")
    if confirmation.method == HOLDER_OF_KEY and here.client_certificate not in confirmation.certificates:
        raise _failed("the TLS client certificate is not that of the holder of the key")


def _covers(period: Period, now: datetime, skew: timedelta) -> bool:
    begun = period.not_before is None or period.not_before <= now + skew
    return begun and (period.not_on_or_after is None or now - skew < period.not_on_or_after)


def _failed(reason: str) -> AssertionRefused:
    return AssertionRefused(Subcode.FAILED_AUTHENTICATION, reason)
