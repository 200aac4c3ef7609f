"""``affinity conform capture``, ``redact``: what two systems say to each other, recorded between them."""

import ssl
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any
from urllib.parse import urlsplit

import typer

from affinity.cli.options import Security
from affinity.cli.verbs import ExitCode, Output, verb, wrong_use

if TYPE_CHECKING:
    from conformance.capture.recording import Judged
    from conformance.capture.redacting import Redaction
    from conformance.capture.relay import Door, Place

CAPTURE_EXAMPLES = r"""[bold]Examples[/bold]
  affinity conform capture ward --door http://:9080=http://registry.example.org:8080 --for 10m
      point a client at port 9080 of this machine; what it says to the registry stands in ./ward afterwards

  affinity conform capture feed --door mllp://:9575=mllp://pix.example.org:2575 --count 20
      the first twenty messages of an HL7 v2 feed and their answers

  affinity conform capture both --door https://:9443=https://registry.example.org:8443 \
      --door mllps://:9576=mllps://pix.example.org:2576 --door-cert proxy.crt.pem --door-key proxy.key.pem \
      --door-ca clients.pem --tls-ca authorities.pem --cert me.crt.pem --key me.key.pem
      mutual TLS on both sides: ours is shown to the clients, --cert to the servers

Ends by Ctrl-C, --for or --count. Names, ids and documents of patients are taken out before anything is written,
unless you say --raw. Exit code 1 says that a message broke a SHALL."""
REDACT_EXAMPLES = r"""[bold]Examples[/bold]
  affinity conform redact raw-capture ward
      take patients out of a capture that was made with --raw

  affinity conform redact raw-capture ward --authors --pseudonyms secret.key
      physicians, too; with the same key later captures get the same pseudonyms

  affinity conform redact raw-capture ward --keep text
      leave notes and results as they are; names in them are replaced all the same"""

SCHEMES = {"http": False, "https": True, "mllp": False, "mllps": True}
UNITS = {"s": 1.0, "m": 60.0, "h": 3600.0}
PANEL = "What is taken out"

Directory = Annotated[Path, typer.Argument(metavar="DIRECTORY", help="Where to write; it must not be there yet.")]
Doors = Annotated[
    list[str],
    typer.Option("--door", metavar="HERE=SERVER", help="http, https, mllp or mllps on both sides; repeatable."),
]
Duration = Annotated[str | None, typer.Option("--for", metavar="TIME", help="Stop after that: 90s, 10m, 2h.")]
Count = Annotated[int | None, typer.Option("--count", min=1, help="Stop after so many exchanges.")]
Raw = Annotated[bool, typer.Option("--raw", help="Keep everything, WITH the data of patients.", rich_help_panel=PANEL)]
Domain = Annotated[
    str | None, typer.Option("--domain", help="Judge ids and codes by this domain: a shipped name or a directory.")
]


@dataclass(frozen=True, slots=True, kw_only=True)
class DoorTLS:
    """What the proxy shows to clients."""

    door_cert: Annotated[
        Path | None, typer.Option(help="PEM file of the certificate for clients.", exists=True, rich_help_panel="Doors")
    ] = None
    door_key: Annotated[
        Path | None, typer.Option(help="PEM file of its private key.", exists=True, rich_help_panel="Doors")
    ] = None
    door_ca: Annotated[
        Path | None,
        typer.Option(help="Ask clients for a certificate of these authorities.", exists=True, rich_help_panel="Doors"),
    ] = None


@dataclass(frozen=True, slots=True, kw_only=True)
class TakenOut:
    """How much is taken out."""

    authors: Annotated[
        bool, typer.Option("--authors", help="Physicians and other authors, too.", rich_help_panel=PANEL)
    ] = False
    keep: Annotated[
        list[str] | None,
        typer.Option(help="Leave as it is: text, documents; repeatable.", rich_help_panel=PANEL),
    ] = None
    pseudonyms: Annotated[
        Path | None,
        typer.Option(
            help="Key of the pseudonyms, made if it is not there; else a new one is thrown away.",
            dir_okay=False,
            rich_help_panel=PANEL,
        ),
    ] = None


@verb
def capture(
    directory: Directory,
    door: Doors,
    door_tls: DoorTLS,
    security: Security,
    taken_out: TakenOut,
    output: Output,
    duration: Duration = None,
    count: Count = None,
    raw: Raw = False,
    domain: Domain = None,
) -> ExitCode:
    """Record what goes between two systems, and judge it in passing. Exit code 1: a message broke a SHALL."""
    from conformance.capture.folder import Capture, numbered
    from conformance.capture.session import Until
    from conformance.capture.session import capture as relay_and_record

    if directory.exists():
        raise wrong_use(f"{directory} is there already: name a directory that is not")
    redaction = None if raw else _redaction(taken_out)
    doors = [_door(number, each, door_tls, security) for number, each in enumerate(door, 1)]
    until = Until(seconds=None if duration is None else _seconds(duration), count=count)
    told: list[dict[str, Any]] = []
    recording = relay_and_record(
        doors, _context(domain), until, opened=_announce, seen=lambda judged: _see(judged, told, output)
    )
    _write(directory, Capture(exchanges=numbered(recording.exchanges), redacted=False), redaction)
    _conclude(directory, told, output)
    return ExitCode.REFUSED if recording.errors else ExitCode.DONE


@verb
def redact(
    source: Annotated[Path, typer.Argument(metavar="CAPTURE", help="A capture.", exists=True, file_okay=False)],
    directory: Directory,
    taken_out: TakenOut,
    output: Output,
) -> ExitCode:
    """Take patients out of a capture: the same pseudonym for the same everywhere, none left."""
    from conformance.capture.folder import read

    found = read(source)
    _write(directory, found, _redaction(taken_out))
    _conclude(directory, len(found.exchanges), output)
    return ExitCode.DONE


def _write(directory: Path, found: Any, redaction: "Redaction | None") -> None:
    from conformance.capture.folder import written
    from conformance.capture.redacting import write_redacted

    if redaction is not None:
        write_redacted(directory, found, redaction)
        return
    with written(directory, found):
        pass


def _redaction(taken_out: TakenOut) -> "Redaction":
    from conformance.capture.pseudonyms import key_in
    from conformance.capture.redacting import Redaction

    kept = frozenset(taken_out.keep or ())
    if kept - {"text", "documents"}:
        raise wrong_use(f"--keep is text or documents, not {', '.join(sorted(kept - {'text', 'documents'}))}")
    return Redaction(
        key=key_in(taken_out.pseudonyms),
        authors=taken_out.authors,
        keep_text="text" in kept,
        keep_documents="documents" in kept,
    )


def _door(number: int, written: str, door_tls: DoorTLS, security: Security) -> "Door":
    from affinity.cli.soap_targets import client_context
    from conformance.capture.relay import Door
    from conformance.exchanges import Wire

    here, equals, server = written.partition("=")
    wires = {_scheme(each).rstrip("s") for each in (here, server)}
    if not equals or len(wires) != 1:
        raise wrong_use(f"--door {written}: wants HERE=SERVER of one kind, as http://:9080=http://host:8080")
    return Door(
        number=number,
        wire=Wire.HTTP if wires == {"http"} else Wire.MLLP,
        inside=_place(here, _door_context(door_tls) if SCHEMES[_scheme(here)] else None),
        server=_place(server, (client_context(security) or _trusting()) if SCHEMES[_scheme(server)] else None),
    )


def _scheme(address: str) -> str:
    scheme = urlsplit(address).scheme
    if scheme not in SCHEMES:
        raise wrong_use(f"{address!r} does not begin with {', '.join(f'{each}://' for each in SCHEMES)}")
    return scheme


def _place(address: str, tls: ssl.SSLContext | None) -> "Place":
    from conformance.capture.relay import Place

    parts = urlsplit(address)
    try:
        port = parts.port if parts.port is not None else {"http": 80, "https": 443}[parts.scheme]
    except (ValueError, KeyError):
        raise wrong_use(f"{address!r} names no port") from None
    return Place(host=parts.hostname or "127.0.0.1", port=port, tls=tls)


def _trusting() -> ssl.SSLContext:
    """The authorities of this machine."""
    return ssl.create_default_context()


def _door_context(door_tls: DoorTLS) -> ssl.SSLContext:
    if door_tls.door_cert is None or door_tls.door_key is None:
        raise wrong_use("a door with TLS shows a certificate: give --door-cert and --door-key")
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    try:
        context.load_cert_chain(door_tls.door_cert, door_tls.door_key)
        if door_tls.door_ca is not None:
            context.load_verify_locations(door_tls.door_ca)
            context.verify_mode = ssl.CERT_REQUIRED
    except ssl.SSLError as error:
        raise wrong_use(f"--door-cert, --door-key or --door-ca is no usable PEM file: {error.reason}") from error
    return context


def _seconds(written: str) -> float:
    number, unit = (written[:-1], written[-1]) if written[-1:] in UNITS else (written, "s")
    try:
        return float(number) * UNITS[unit]
    except ValueError:
        raise wrong_use(f"--for {written}: wants a time such as 90s, 10m or 2h") from None


def _context(domain: str | None) -> Any:
    from affinity.domain import load
    from conformance.validators.context import Context

    return Context(domain=load(domain).affinity_domain if domain else None)


def _announce(door: "Door", port: int) -> None:
    typer.echo(f"listening on {door.inside.host}:{port} for {door.server}; Ctrl-C ends", err=True)


def _see(judged: "Judged", told: list[dict[str, Any]], output: Output) -> None:
    from conformance.reports import sentence

    recorded = judged.recorded
    what = recorded.transaction or "unknown"
    found = [(side, each) for side, report in _sides(judged) for each in (report.findings if report else ())]
    told.append(
        {
            "number": recorded.number,
            "transaction": recorded.transaction,
            "failure": recorded.failure or None,
            "errors": judged.errors,
            "findings": [
                {"side": side, "level": each.level, "location": each.location, "text": each.text}
                for side, each in found
            ],
        }
    )
    if output.as_json:
        return
    from affinity.cli.show import print_line

    outcome = recorded.failure or f"{recorded.seconds * 1000:.0f} ms"
    print_line(f"{recorded.number:>4}  {what:<7} door {recorded.endpoint}  {outcome}", "red" if judged.errors else "")
    for side, each in found:
        shown = sentence(replace(each, observed=None))  # what was found may be a patient's name
        print_line(f"      {side}: {each.level} {each.location}: {shown}", "red" if each.is_error else "yellow")


def _sides(judged: "Judged") -> Any:
    return (("request", judged.request), ("answer", judged.answer))


def _conclude(directory: Path, told: list[dict[str, Any]] | int, output: Output) -> None:
    from affinity.cli.show import print_json, print_line

    if output.as_json:
        print_json({"directory": str(directory), "exchanges": told})
    else:
        print_line(f"written to {directory}")
