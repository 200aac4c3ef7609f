"""``affinity cert``: certificates for development, and what any certificate says."""

from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from affinity.cli.verbs import ExitCode, Output, verb, wrong_use

if TYPE_CHECKING:
    from cryptography.x509 import Certificate

    from affinity.authority import Authority, Credential, Wanted
    from affinity.inspecting import Inspected

CA_EXAMPLES = r"""[bold]Examples[/bold]
  affinity cert ca try/
      makes try/ca.crt.pem and its key, or says what is there

  affinity cert ca try/ --name 'Partners CA'"""
SERVER_EXAMPLES = r"""[bold]Examples[/bold]
  affinity cert server try/ records.example.org 10.0.0.5
      a server that clients call by this name or this address"""
CLIENT_EXAMPLES = r"""[bold]Examples[/bold]
  affinity cert client try/ lis.example.org
      a client, and the lines for its partner's file"""
STS_EXAMPLES = r"""[bold]Examples[/bold]
  affinity cert sts try/ sts.example.org
      an RSA key with which an assertion provider signs"""
REVOKE_EXAMPLES = r"""[bold]Examples[/bold]
  affinity cert revoke try/ try/lis.example.org.crt.pem
      adds it to try/ca.crl.pem, for certificates.revocation_lists

  affinity cert revoke try/
      a list that revokes nothing more, good for another 30 days"""
SHOW_EXAMPLES = r"""[bold]Examples[/bold]
  affinity cert show partner.pem
      whose it is, who issued it, how long it is good, and the lines for a partner's file

  affinity cert show /etc/affinity/tls/server.key
  affinity cert show partners.crl --json

PEM with any number of blocks, or DER; exit code 1 says that something in it has ended."""

app = typer.Typer(
    help="Certificates: make them for development, see what one says.", no_args_is_help=True, rich_markup_mode="rich"
)
Directory = Annotated[
    Path, typer.Argument(metavar="DIR", help="Where the authority is, or is to be made.", file_okay=False)
]
Name = Annotated[str, typer.Argument(metavar="NAME", help="Common name, and the name of the files.")]
File = Annotated[Path, typer.Argument(metavar="FILE", help="What to look at.", exists=True, dir_okay=False)]


@verb
def ca(
    directory: Directory,
    output: Output,
    name: Annotated[str, typer.Option(help="Common name of a new authority.")] = "Affinity development CA",
) -> ExitCode:
    """Make a certificate authority for development."""
    return _show_made(_authority(directory, name).credential, output)


@verb
def server(
    directory: Directory,
    names: Annotated[list[str], typer.Argument(metavar="NAME...", help="Host names and addresses.")],
    output: Output,
) -> ExitCode:
    """Make a server's certificate, for every name by which clients call it."""
    from affinity import authority

    return _issue(directory, names[0], authority.server(names), output)


@verb
def client(directory: Directory, name: Name, output: Output) -> ExitCode:
    """Make a client's certificate."""
    from affinity import authority

    return _issue(directory, name, authority.client(name), output)


@verb
def sts(directory: Directory, name: Name, output: Output) -> ExitCode:
    """Make the certificate of an assertion provider."""
    from affinity import authority

    return _issue(directory, name, authority.sts(name), output)


@verb
def revoke(
    directory: Directory,
    output: Output,
    files: Annotated[list[Path] | None, typer.Argument(metavar="FILE...", help="Certificates.", exists=True)] = None,
) -> ExitCode:
    """Put certificates on the authority's revocation list, and date the list anew."""
    from affinity.cli.show import print_json, print_line

    found = [each for file in files or () for each in _certificates(file)]
    issuer = _authority(directory)
    for each in found:
        if each.issuer != issuer.certificate.subject:
            raise wrong_use(f"{each.subject.rfc4514_string()} is not of the authority in {directory}")
    made = issuer.revoke(found)
    if output.as_json:
        print_json({"revocation_list": str(made), "revoked": [f"{each.serial_number:x}" for each in found]})
    else:
        print_line(f"{made}: {len(found)} more revoked")
    return ExitCode.DONE


@verb
def show(file: File, output: Output) -> ExitCode:
    """Say what is in a file of certificates, keys or revocation lists."""
    from affinity.cli.show import print_json
    from affinity.inspecting import inspect

    try:
        found = inspect(file.read_bytes())
    except ValueError as error:
        raise wrong_use(f"{file} cannot be read: {error}") from error
    if output.as_json:
        print_json([asdict(each) for each in found])
    else:
        _print(found)
    over = any("expired" in remark or "out of date" in remark for each in found for remark in each.remarks)
    return ExitCode.REFUSED if over else ExitCode.DONE


app.command("ca", epilog=CA_EXAMPLES)(ca)
app.command("server", epilog=SERVER_EXAMPLES)(server)
app.command("client", epilog=CLIENT_EXAMPLES)(client)
app.command("sts", epilog=STS_EXAMPLES)(sts)
app.command("revoke", epilog=REVOKE_EXAMPLES)(revoke)
app.command("show", epilog=SHOW_EXAMPLES)(show)


def _certificates(file: Path) -> "list[Certificate]":
    from tls.files import certificates

    try:
        return certificates(file)
    except ValueError as error:
        raise wrong_use(f"{file} holds no certificate: {error}") from error


def _authority(directory: Path, name: str = "Affinity development CA") -> "Authority":
    from datetime import UTC, datetime

    from affinity.authority import Authority

    return Authority(directory, datetime.now(UTC), name)


def _issue(directory: Path, stem: str, wanted: "Wanted", output: Output) -> ExitCode:
    if "/" in stem or stem.startswith("."):
        raise wrong_use(f"{stem!r} is to be the name of files, too")
    return _show_made(_authority(directory).renew(stem.replace(":", "_"), wanted), output)


def _show_made(made: "Credential", output: Output) -> ExitCode:
    from affinity.cli.show import print_json, print_line
    from affinity.inspecting import inspect

    found = inspect(made.certificate.read_bytes())
    if output.as_json:
        print_json({"certificate": str(made.certificate), "key": str(made.key), **found[0].properties})
        return ExitCode.DONE
    _print(found)
    print_line(f"{made.certificate}, {made.key}")
    return ExitCode.DONE


def _print(found: "list[Inspected]") -> None:
    from affinity.cli.show import print_line, print_table

    for number, each in enumerate(found, 1):
        print_line(f"{number}. {each.kind}" if len(found) > 1 else each.kind, "bold")
        rows = [*each.properties.items(), *(("remark", remark) for remark in each.remarks)]
        print_table(("", ""), rows)
        for line in _partner_lines(each):
            print_line(line)


def _partner_lines(each: "Inspected") -> Iterator[str]:
    """What a partner's file says of a client with this certificate."""
    told = each.properties
    if each.kind != "certificate" or "authority" in told["for"] or told["for"] == "a TLS server":
        return
    yield "\nIn the partner's file, pinned:"
    yield f'  [[certificate]]\n  sha256 = "{told["sha256"]}"'
    if "itself" not in told["issued by"]:
        yield "or by name, so that a renewal changes nothing:"
        issuer = told["issued by"].partition(" (certificate ")[0]
        yield f"  [[certificate]]\n  subject = '{told['subject']}'\n  authority = '{issuer}'"
    yield ""
