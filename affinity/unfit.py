"""What makes a node unfit for real patients: everything at once, each with what to change."""

from collections.abc import Iterable, Iterator
from pathlib import Path

from sqlalchemy.engine import make_url
from sqlalchemy.exc import ArgumentError

from affinity.authority import ORGANIZATION
from affinity.domain_model import LoadedDomain
from affinity.doors import is_loopback
from affinity.issuers import trusted_files
from affinity.pki import development_certificates
from affinity.settings import Settings
from affinity.stewardship import TOKEN_FILE
from affinity.stewardship.access import DEVELOPER

KNOWN_PASSWORDS = frozenset({"affinity", "admin", "changeme", "password", "postgres", "root", "secret"})
KNOWN_TOKENS = frozenset({"sha256:2bb80d537b1da3e38bd30361aa855686bde0eacd7162fef6a25fe97bf527a25b"})
"""Digests that stand in the documentation."""
UP = "`affinity up` is for those"


def unfitness(settings: Settings, loaded: LoadedDomain, *, plain: bool) -> Iterator[str]:
    """Every reason not to serve. ``plain``: the ports without TLS are to be opened."""
    yield from _development_certificates(settings, loaded)
    yield from _default_secrets(settings)
    if plain and not is_loopback(settings.listen.host):
        yield (
            f"listen.plain would open ports without TLS on {settings.listen.host}, where others reach them: set "
            "plain = false, or host to a loopback address (ITI TF-2: 3.19.5)"
        )
    if plain and loaded.policy.partners_by_source:
        yield (
            "policy.partners_by_source believes on ports without TLS whatever a message says of its sender: set it to "
            "false in domain.toml, or plain = false"
        )


def refuse_development(files: Iterable[Path]) -> None:
    """ValueError for the first file that holds a development certificate."""
    for file in development_certificates(files):
        raise ValueError(f"{file} holds a development certificate; {UP}")


def _development_certificates(settings: Settings, loaded: LoadedDomain) -> Iterator[str]:
    own = settings.certificates
    files = [each for each in (own.certificate, own.client_authorities) if each is not None]
    for file in development_certificates((*files, *trusted_files(settings.xua))):
        yield f"{file} holds a development certificate; {UP}"
    if not files:
        return  # without TLS no partner is known by a certificate
    for each in loaded.agreements:
        if any(ORGANIZATION in f"{name.authority} {name.subject}" for name in each.names):
            yield f"partners/{each.partner.name}.toml names a development certificate; {UP}"


def _default_secrets(settings: Settings) -> Iterator[str]:
    if _password(settings.database) in KNOWN_PASSWORDS:
        yield "the password in database_url is one that everybody tries: choose another, or use a file (PGPASSFILE)"
    for name, token in settings.stewards.items():
        if name == DEVELOPER or token in KNOWN_TOKENS:
            yield f"stewards.{name} is a steward of development or of the documentation: `affinity pix token` makes one"
    for left in (settings.data / "pki" / "ca.key.pem", settings.data / TOKEN_FILE):
        if left.exists():
            yield f"{left} is a secret of `affinity up`, and the data beside it are a demonstration: choose other data"
    if settings.master_key is not None and _is_guessable(settings.master_key):
        yield f"{settings.master_key} holds a key that anybody can guess: make one with `openssl rand -hex 32`"


def _password(url: str) -> str:
    try:
        return str(make_url(url).password or "")
    except ArgumentError:
        return ""  # told where the database is opened


def _is_guessable(file: Path) -> bool:
    """Claim that a key of the file is one byte over and over. What is not readable is told where it is used."""
    try:
        keys = file.read_text(encoding="ascii", errors="replace").split()
    except OSError:
        return False
    return any(len(set(zip(key[::2], key[1::2], strict=False))) == 1 for key in keys)
