"""``affinity conform replay``: a capture played to another system, and where its answers differ."""

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from affinity.cli.options import Identity, Security, Where
from affinity.cli.verbs import ExitCode, Output, verb, wrong_use

if TYPE_CHECKING:
    from conformance.capture.assertions import Renew
    from conformance.capture.carried import Carried
    from conformance.capture.replaying import Replayed
    from conformance.capture.sending import Targets

EXAMPLES = r"""[bold]Examples[/bold]
  affinity conform replay ward
      to the node that `affinity up` started here, with assertions by its own development key

  affinity conform replay ward --http https://registry.example.org:8443 --mllp pix.example.org:2576 \
      --tls-ca ca.pem --cert me.pem --key me.key --sign-key sts.key --sign-cert sts.pem
      to a system with an issuer of assertions that it trusts

  affinity conform replay ward --url ITI-41=http://repository.example.org/xds/provide --map HOSPITAL=HOSPITAL-TEST
      one transaction elsewhere, and a sender that has another name there

Ids of messages, objects and patients are fresh, times are those of now. Exit code 1 says that an answer came to
something else, and a table shows what."""
PANEL = "Who asks (XUA)"

Directory = Annotated[Path, typer.Argument(metavar="CAPTURE", help="A capture.", exists=True, file_okay=False)]
HTTP = Annotated[
    str | None, typer.Option("--http", help="Scheme, host and port of the system; default: the node on this machine.")
]
MLLP = Annotated[str | None, typer.Option("--mllp", help="HOST:PORT; default: the node on this machine.")]
URLs = Annotated[
    list[str] | None, typer.Option("--url", metavar="ITI-n=URL", help="The endpoint of a transaction; repeatable.")
]
Maps = Annotated[
    list[str] | None, typer.Option("--map", metavar="OLD=NEW", help="A value that is another there; repeatable.")
]
Patients = Annotated[
    bool, typer.Option("--fresh-patients/--same-patients", help="Give patients that were fed other ids.")
]


@dataclass(frozen=True, slots=True, kw_only=True)
class Signing:
    """A key that signs the captured assertions anew."""

    sign_key: Annotated[
        Path | None, typer.Option(help="PEM file of an issuer's private key.", exists=True, rich_help_panel=PANEL)
    ] = None
    sign_cert: Annotated[
        Path | None, typer.Option(help="PEM file of its certificate.", exists=True, rich_help_panel=PANEL)
    ] = None
    issuer: Annotated[
        str | None, typer.Option(help="The issuer that the assertions name; else as captured.", rich_help_panel=PANEL)
    ] = None


@verb
def replay(
    directory: Directory,
    security: Security,
    signing: Signing,
    identity: Identity,
    output: Output,
    http: HTTP = None,
    mllp: MLLP = None,
    url: URLs = None,
    maps: Maps = None,
    fresh_patients: Patients = True,
    data: Where = None,
) -> ExitCode:
    """Send a capture's requests to another system and compare the answers. Exit code 1: one came to something else."""
    from conformance.capture.folder import read
    from conformance.capture.replaying import replay as play

    capture = read(directory)
    targets = _targets(http, mllp, _pairs("--url", url), security, data)
    try:
        renew = _renew(signing, identity, security, data, targets.http)
        carried = _carried(_pairs("--map", maps), fresh_patients=fresh_patients)
        replayed = [_shown(each, output) for each in play(capture.exchanges, targets, carried, renew)]
    finally:
        targets.close()
    _conclude(replayed, output)
    return ExitCode.DONE if all(each.equal for each in replayed) else ExitCode.REFUSED


def _targets(
    http: str | None, mllp: str | None, urls: dict[str, str], security: Security, data: Path | None
) -> "Targets":
    """The system that was named; where none is, the node on this machine."""
    from affinity.cli.soap_targets import client_context
    from affinity.cli.targets import LocalNode, mllp_address
    from conformance.capture.sending import Targets

    node = LocalNode.find(data)
    local = http is None and mllp is None and not urls
    base = node.url("").rstrip("/") if local else http
    if base is not None and not base.startswith(("http://", "https://")):
        raise wrong_use(f"--http wants http://HOST:PORT or https://HOST:PORT, not {base!r}")
    address = mllp_address(mllp, security, node) if local or mllp is not None else None
    return Targets(http=base, mllp=address, urls=urls, tls=client_context(security), timeout=security.timeout)


def _carried(maps: dict[str, str], *, fresh_patients: bool) -> "Carried":
    from conformance.capture.carried import Carried
    from conformance.capture.pseudonyms import Pseudonyms, key_in

    carried = Carried(Pseudonyms(key_in(None)) if fresh_patients else None)
    for value, new in maps.items():
        carried.put(value, new)
    return carried


def _renew(
    signing: Signing, identity: Identity, security: Security, data: Path | None, base: str | None
) -> "Renew | None":
    """Who vouches: a key, a file, a token service; at the node on this machine its development key."""
    from affinity.cli.soap_targets import header
    from affinity.cli.targets import LocalNode
    from conformance.capture.assertions import instead
    from soap.xml import parse
    from xua.envelope import ASSERTION

    if signing.sign_key is not None or signing.sign_cert is not None:
        return _signing(signing, identity)
    node = LocalNode.find(data)
    if identity.assertion is None and identity.sts is None:
        return _of_development(identity, data) if base and base.startswith(node.url("").rstrip("/")) else None
    found = next(iter(parse(header(identity, security, node, base or "")).iter(ASSERTION)))
    return instead(found)


def _signing(signing: Signing, identity: Identity) -> "Renew":
    from conformance.capture.assertions import signer
    from xua.keys import load_certificates, load_private_key

    if signing.sign_key is None or signing.sign_cert is None:
        raise wrong_use("--sign-key and --sign-cert belong together")
    key = load_private_key(signing.sign_key.read_bytes())
    return signer(key, load_certificates(signing.sign_cert.read_bytes())[0], signing.issuer, identity.audience)


def _of_development(identity: Identity, data: Path | None) -> "Renew | None":
    from affinity.cli.saml_tokens import development_sts
    from affinity.settings import load
    from conformance.capture.assertions import signer

    sts = development_sts(load(None, {} if data is None else {"data": data}))
    return None if sts is None else signer(sts.key, sts.certificate, sts.issuer, identity.audience)


def _pairs(option: str, written: list[str] | None) -> dict[str, str]:
    pairs = [each.partition("=") for each in written or ()]
    for name, equals, value in pairs:
        if not name or not equals or not value:
            raise wrong_use(f"{option} wants NAME=VALUE, not {name + equals + value!r}")
    return {name: value for name, _, value in pairs}


def _shown(replayed: "Replayed", output: Output) -> "Replayed":
    from affinity.cli.show import print_line

    if not output.as_json:
        recorded = replayed.recorded
        verdict = replayed.skipped or ("equal" if replayed.equal else "differs")
        style = "yellow" if replayed.skipped else "" if replayed.equal else "red"
        print_line(f"{recorded.number:>4}  {recorded.transaction or 'unknown':<7} {verdict}", style)
    return replayed


def _conclude(replayed: "list[Replayed]", output: Output) -> None:
    from affinity.cli.show import print_json, print_line, print_table

    if output.as_json:
        print_json([_plain(each) for each in replayed])
        return
    rows = [
        (str(each.recorded.number), each.recorded.transaction or "", found.aspect, found.captured, found.replayed)
        for each in replayed
        for found in each.differences
    ]
    if rows:
        print_table(("", "transaction", "what", "captured", "replayed"), rows)
    equal = sum(each.equal and not each.skipped for each in replayed)
    print_line(f"{equal} of {len(replayed)} answers are equal", "green" if equal == len(replayed) else "red")


def _plain(replayed: "Replayed") -> dict[str, Any]:
    return {
        "number": replayed.recorded.number,
        "transaction": replayed.recorded.transaction,
        "equal": replayed.equal,
        "skipped": replayed.skipped or None,
        "differences": [
            {"aspect": each.aspect, "captured": each.captured or None, "replayed": each.replayed or None}
            for each in replayed.differences
        ],
    }
