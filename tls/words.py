"""What OpenSSL says of a handshake, in words that say what to look at; for both sides of it."""

import re
from collections.abc import Mapping
from types import MappingProxyType

CERTIFICATE_FAULTS: Mapping[int, str] = MappingProxyType(
    {
        3: "its authority's revocation list is not here",
        7: "its signature is wrong",
        9: "it is not valid yet: compare the clocks of both machines",
        10: "it has expired",
        12: "its authority's revocation list is out of date: get the new one",
        18: "it is self-signed, and not a certificate that is trusted by itself",
        19: "its chain ends in a certificate authority that is not trusted",
        20: "no authority that is trusted has issued it, or it came without its chain",
        21: "no authority that is trusted has issued it, or it came without its chain",
        22: "its chain is too long",
        23: "it is revoked",
        24: "what issued it is no certificate authority",
        26: "it was issued for another purpose: a client needs clientAuth, a server serverAuth (extendedKeyUsage)",
        28: "its authority refuses it",
        62: "it was issued for another host name",
        64: "it was issued for another IP address",
        66: "its key is too short",
        67: "the key of its authority is too short",
        68: "its authority signs with a hash that is too weak",
    }
)
"""OpenSSL's verification codes (X509_V_ERR_...), as what is wrong with a certificate."""

ALERTS: Mapping[str, str] = MappingProxyType(
    {
        "unknown ca": "it does not trust the authority that issued our certificate",
        "certificate unknown": "it does not accept our certificate",
        "bad certificate": "it does not accept our certificate",
        "certificate expired": "our certificate has expired",
        "certificate revoked": "our certificate is revoked",
        "unsupported certificate": "our certificate was issued for another purpose",
        "access denied": "it does not let our certificate in",
        "certificate required": "it demands a client certificate",
        "protocol version": "it speaks no version of TLS that we speak (1.2 and 1.3)",
        "handshake failure": "it speaks none of our cipher suites, or demands a client certificate",
        "internal error": "something failed on its side",
        "decrypt error": "it could not check our signature: certificate and key do not belong together",
        "unrecognized name": "it does not serve the host name that we asked for",
    }
)
"""Alerts that the other side sent, by the name that OpenSSL and RFC 8446: 6 give them."""
ALERT = re.compile(r"(?:sslv3|ssl/tls|tls|tlsv1|tlsv13) alert (.+)|tlsv1 (unrecognized name)")
"""How OpenSSL's versions spell a reason that is an alert."""

OURS: Mapping[str, str] = MappingProxyType(
    {
        "unsupported protocol": "the other side speaks no TLS 1.2 or 1.3",
        "version too low": "the other side speaks no TLS 1.2 or 1.3",
        "no protocols available": "the other side speaks no TLS 1.2 or 1.3",
        "no shared cipher": "the other side offers none of the cipher suites of BCP 195",
        "no shared signature algorithms": "the other side offers no signature algorithm that our certificate can make",
        "no suitable signature algorithm": "the other side offers no signature algorithm that our certificate can make",
        "peer did not return a certificate": "the other side shows no certificate",
        "http request": "the other side speaks HTTP without TLS on this port",
        "wrong version number": "the other side does not speak TLS on this port",
        "record layer failure": "the other side does not speak TLS on this port",
        "unexpected eof while reading": "the other side closed the connection, as a port without TLS does",
        "no renegotiation": "the other side wanted to negotiate again on an open connection",
    }
)
"""What we ourselves stumbled over, by OpenSSL's reason."""


def alert(reason: str) -> str | None:
    """The words for an alert of the other side; None if the reason is none. Takes both spellings of a reason."""
    found = ALERT.fullmatch(_plain(reason))
    name = (found[1] or found[2]) if found else None
    return ALERTS.get(name, f"it sent the alert: {name}") if name else None


def stumbled(reason: str) -> str:
    """The words for what we stumbled over; OpenSSL's own if it is a thing that nobody foresaw."""
    return OURS.get(_plain(reason), reason)


def certificate_fault(code: int, otherwise: str = "") -> str:
    """What is wrong with a certificate."""
    return CERTIFICATE_FAULTS.get(code) or otherwise or f"OpenSSL refuses it with code {code}"


def _plain(reason: str) -> str:
    """``TLSV1_ALERT_UNKNOWN_CA`` of the standard library as OpenSSL itself spells it."""
    return reason.lower().replace("_", " ").replace("ssl tls alert", "ssl/tls alert")
