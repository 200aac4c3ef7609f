"""The server's side of mutual TLS 1.2 and 1.3 as BCP 195 wants it (ITI TF-2: 3.19.6.2.3; RFC 9325)."""

from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives.serialization import load_pem_private_key
from OpenSSL import SSL
from OpenSSL.crypto import X509, X509StoreFlags

from tls.files import SUITES, TLS, certificates, revocation_lists
from tls.verification import Handshake, Verification, issuers

DH_GROUP = Path(__file__).with_name("ffdhe3072.pem")
"""The group ffdhe3072 of RFC 7919, for the two DHE suites that IHE still asks for."""
SESSION_SECONDS = 3600
"""How long a session may be resumed: then the client's certificate is verified again."""
OPTIONS = SSL.OP_NO_COMPRESSION | SSL.OP_NO_RENEGOTIATION | SSL.OP_CIPHER_SERVER_PREFERENCE
"""RFC 9325: 3.3 (compression), 3.5 (renegotiation), 4.2.1 (the server's order)."""


def server_context(tls: TLS) -> SSL.Context:
    """A client must show a certificate that ``authorities`` issued or that is pinned, and that no list revokes.

    Raises ValueError or OSError, which name the file that cannot be used.
    """
    context = SSL.Context(SSL.TLS_SERVER_METHOD)
    context.set_min_proto_version(SSL.TLS1_2_VERSION)
    context.set_options(OPTIONS)
    context.set_mode(SSL.MODE_RELEASE_BUFFERS)
    context.set_cipher_list(SUITES.encode())
    context.load_tmp_dh(str(DH_GROUP).encode())
    _resume(context)
    _show(context, tls)
    _verify(context, tls)
    return context


def _resume(context: SSL.Context) -> None:
    """Sessions, by id and by ticket, end with this context: a new one has keys of its own (RFC 9325: 3.4)."""
    context.set_session_id(b"affinity")
    context.set_session_cache_mode(SSL.SESS_CACHE_SERVER)
    context.set_timeout(SESSION_SECONDS)


def _show(context: SSL.Context, tls: TLS) -> None:
    own, *chain = _read(tls.certificate, certificates)
    context.use_certificate(own)
    for each in chain:
        context.add_extra_chain_cert(each)
    key: Any = _read(tls.key, lambda file: load_pem_private_key(file.read_bytes(), password=None))
    if key.public_key() != own.public_key():
        raise ValueError(f"{tls.key} is the key of another certificate than the first of {tls.certificate}")
    context.use_privatekey(key)


def _verify(context: SSL.Context, tls: TLS) -> None:
    store = context.get_cert_store()
    assert store is not None  # every new context has one
    for each in _read(tls.authorities, certificates):
        store.add_cert(X509.from_cryptography(each))
        context.add_client_ca(each)
    lists = [found for file in tls.revocation_lists for found in _read(file, lambda each: list(revocation_lists(each)))]
    for found in lists:
        store.add_crl(found)
    store.set_flags(X509StoreFlags.PARTIAL_CHAIN)
    if lists:
        store.set_flags(X509StoreFlags.CRL_CHECK | X509StoreFlags.CRL_CHECK_ALL)
    verification = Verification(tls.pinned, issuers(lists))
    context.set_verify(SSL.VERIFY_PEER | SSL.VERIFY_FAIL_IF_NO_PEER_CERT, verification.__call__)


def _read(file: Path, read: Any) -> Any:
    try:
        return read(file)
    except (ValueError, TypeError) as error:
        raise ValueError(f"{file} cannot be used: {error}") from error


class Connection(SSL.Connection):  # type: ignore[misc]
    """OpenSSL's part of one connection that has come, with what its handshake finds wrong."""

    def __init__(self, context: SSL.Context) -> None:
        super().__init__(context, None)
        self.handshake = Handshake()
        self.set_accept_state()
