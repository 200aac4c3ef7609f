"""Why a connection did not come about, in words: which side gave up, over what, and what to look at."""

import socket
import ssl
from collections.abc import Mapping

from mllp.client import ALERTS

CERTIFICATE_FAULTS: Mapping[int, str] = {
    9: "it is not valid yet: compare the clocks of both machines",
    10: "it has expired",
    18: "it is self-signed, and not the certificate that we were told to trust",
    19: "its chain ends in a certificate authority that we were not told to trust",
    20: "no authority that we were told to trust has issued it, or the server does not send its whole chain",
    21: "no authority that we were told to trust has issued it, or the server does not send its whole chain",
    23: "it is revoked",
    26: "it was not issued for a server",
    62: "it was issued for another host name",
    64: "it was issued for another IP address",
}
"""OpenSSL's verification codes (X509_V_ERR_...), as what is wrong with the server's certificate."""
CLOSED = "a port does so that is spoken to without TLS, or one that misses a client certificate (--cert, --key)"


def explain_connection(error: OSError) -> str:
    """Say what a failed connection means; every word is ours except what OpenSSL alone knows."""
    if isinstance(error, ssl.SSLCertVerificationError):
        return _certificate(error)
    if isinstance(error, ssl.SSLError):
        return _handshake(error)
    if isinstance(error, ConnectionRefusedError):
        return "nothing listens there: is the server up, and is this its port?"
    if isinstance(error, TimeoutError):
        return "nothing came in time: a firewall, a server that hangs, or a port without TLS that was spoken to with it"
    if isinstance(error, socket.gaierror):
        return "no such host name is known here"
    if isinstance(error, ConnectionResetError | BrokenPipeError):
        return f"the other side closed the connection in the middle: {CLOSED}"
    return error.strerror or str(error)


def _certificate(error: ssl.SSLCertVerificationError) -> str:
    fault = CERTIFICATE_FAULTS.get(error.verify_code, error.verify_message)
    remedy = " (--tls-ca names the file of authorities to trust)" if error.verify_code in (18, 19, 20, 21) else ""
    named = f" [{error.verify_message}]" if error.verify_code in (62, 64) else ""
    return f"we refused the server's certificate: {fault}{remedy}{named}"


def _handshake(error: ssl.SSLError) -> str:
    if isinstance(error, ssl.SSLEOFError | ssl.SSLZeroReturnError):
        return f"the server closed the connection instead of going on: {CLOSED}"
    reason = getattr(error, "reason", None) or ""
    words = ALERTS.get(reason)
    if words is None:
        return f"the TLS handshake failed: {reason or error}"
    remedy = " (--cert and --key show one)" if "client certificate" in words else ""
    return f"the server ended the TLS handshake: {words}{remedy}"
