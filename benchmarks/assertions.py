"""XUA: what it costs to verify a user assertion, one never seen and one seen before (ITI-40); CPU of one thread.

What is measured is what stands between a parsed SOAP message and the Principal: place, shape, signature, claims,
conditions. The token is that of the development STS, about 4 KB, RSA-2048.
"""

from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from time import process_time

from lxml.etree import _Element

from affinity.development import STS_ISSUER
from affinity.pki import development_pki
from benchmarks.figures import Aim, Better, Effort, Figure, Say
from benchmarks.messages import DOMAIN
from soap.xml import parse
from xua.envelope import ASSERTION, cut_out, security_header
from xua.names import SOAP
from xua.people import DemoRole
from xua.profile_files import shipped
from xua.signature import verify_signature
from xua.sts import DevelopmentSTS, open_sts
from xua.trust import TrustedIssuer, TrustStore
from xua.verifier import Verifier

COLD, CACHED = 500, 5000
AUDIENCE = "urn:oid:2.25.1"
BENCHMARK = "XUA"


def measure(place: Path, effort: Effort, say: Say) -> list[Figure]:
    """Microseconds of CPU for each request."""
    pki = development_pki(place / "xua")
    sts = open_sts(STS_ISSUER, pki.sts.key.read_bytes(), pki.sts.certificate.read_bytes())
    signature, cold, cached = [], [], []
    for run in range(effort.runs):
        say(f"XUA, run {run + 1} of {effort.runs}")
        messages = _messages(sts, effort.count(COLD))
        signature.append(_signature(sts, messages))
        cold.append(_cold(sts, messages))
        cached.append(_cached(sts, messages[0], effort.count(CACHED)))
    return [
        Figure(benchmark=BENCHMARK, name="signature alone (signxml)", unit="µs CPU", runs=tuple(signature)),
        Figure(benchmark=BENCHMARK, name="verify, cold", unit="µs CPU", runs=tuple(cold), aim=Aim(Better.LOWER, 800)),
        Figure(
            benchmark=BENCHMARK, name="verify, cached", unit="µs CPU", runs=tuple(cached), aim=Aim(Better.LOWER, 80)
        ),
    ]


def user_header(pki: Path) -> bytes:
    """The header with which a treating doctor asks, signed as the node with that ``pki`` directory does."""
    sts = open_sts(STS_ISSUER, (pki / "sts.key.pem").read_bytes(), (pki / "sts.crt.pem").read_bytes())
    return security_header(sts.issue(DemoRole.TREATING_DOCTOR, datetime.now(UTC), DOMAIN.home_community_id))


def _messages(sts: DevelopmentSTS, count: int) -> list[_Element]:
    """Parsed messages, each with an assertion of its own."""
    now = datetime.now(UTC)
    begin, end = f'<e:Envelope xmlns:e="{SOAP}"><e:Header>'.encode(), b"</e:Header><e:Body/></e:Envelope>"
    tokens = (sts.issue(DemoRole.NURSE, now, AUDIENCE) for _ in range(count))
    return [parse(begin + security_header(token) + end) for token in tokens]


def _verifier(sts: DevelopmentSTS) -> Callable[[_Element], object]:
    issuer = TrustedIssuer(entity_id=sts.issuer, certificates=(sts.certificate,), profile=shipped()["affinity"])
    verifier, now = Verifier(TrustStore([issuer]), [AUDIENCE]), datetime.now(UTC)
    return lambda envelope: verifier.verify(envelope, now)


def _signature(sts: DevelopmentSTS, messages: list[_Element]) -> float:
    """The part that the library takes, of assertions already cut out."""
    now = datetime.now(UTC)
    assertions = [parse(cut_out(next(each.iter(ASSERTION)))) for each in messages]
    started = process_time()
    for each in assertions:
        verify_signature(each, (sts.certificate,), now)
    return (process_time() - started) * 1e6 / len(assertions)


def _cold(sts: DevelopmentSTS, messages: list[_Element]) -> float:
    verify = _verifier(sts)
    verify(messages[0])
    started = process_time()
    for each in messages[1:]:
        verify(each)
    return (process_time() - started) * 1e6 / (len(messages) - 1)


def _cached(sts: DevelopmentSTS, message: _Element, count: int) -> float:
    verify = _verifier(sts)
    verify(message)
    started = process_time()
    for _ in range(count):
        verify(message)
    return (process_time() - started) * 1e6 / count
