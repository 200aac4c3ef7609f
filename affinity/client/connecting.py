"""Why a connection did not come about, in words: which side gave up, over what, and what to look at."""

import socket
import ssl

from tls.words import alert, certificate_fault, stumbled

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
    fault = certificate_fault(error.verify_code, error.verify_message)
    remedy = " (--tls-ca names the file of authorities to trust)" if error.verify_code in (18, 19, 20, 21) else ""
    named = f" [{error.verify_message}]" if error.verify_code in (62, 64) else ""
    return f"we refused the server's certificate: {fault}{remedy}{named}"


def _handshake(error: ssl.SSLError) -> str:
    if isinstance(error, ssl.SSLEOFError | ssl.SSLZeroReturnError):
        return f"the server closed the connection instead of going on: {CLOSED}"
    reason = getattr(error, "reason", None) or ""
    words = alert(reason)
    if words is None:
        return f"the TLS handshake failed: {stumbled(reason) if reason else error}"
    remedy = " (--cert and --key show one)" if "client certificate" in words else ""
    return f"the server ended the TLS handshake: {words}{remedy}"
