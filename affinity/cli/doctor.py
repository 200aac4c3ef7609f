"""``affinity doctor``: what is wrong, and what to do about it."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Annotated

import typer

from affinity.cli.options import Security
from affinity.cli.serving import NodeOptions, read_settings
from affinity.cli.verbs import ExitCode, Output, verb

if TYPE_CHECKING:
    from affinity.cli.finding import Finding

EXAMPLES = r"""[bold]Examples[/bold]
  affinity doctor
      the demo node of this directory, running or not

  affinity doctor --config affinity.toml --tls-ca ca.pem --cert me.pem --key me.key
      a production node from inside: its domain, database, store, certificates, and its ports

  affinity doctor --url https://xds.example.org:8443 --mllp xds.example.org:2576 --tls-ca ca.pem \
      --cert me.pem --key me.key
      any server from outside: are its ports open, what does TLS object to, is its clock right

  affinity doctor --connect record.example.org:2576 --tls-ca ca.pem --cert me.pem --key me.key
      why does the handshake fail: which side, which chain, which name, what has expired

Exit code 1 says that at least one check failed; warnings and what there was nothing to look at do not count."""


STYLES: Mapping[str, str] = {"FAILED": "red", "warning": "yellow", "skipped": "dim"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Outside:
    """A server to look at from outside."""

    url: Annotated[list[str] | None, typer.Option(help="Base URL of a server, without path; repeatable.")] = None
    mllp: Annotated[list[str] | None, typer.Option(help="HOST:PORT; over TLS if --tls-ca is given; repeatable.")] = None
    connect: Annotated[
        list[str] | None,
        typer.Option(help="HOST:PORT that speaks TLS: explain the handshake; repeatable."),
    ] = None


@verb
def doctor(node: NodeOptions, outside: Outside, security: Security, output: Output) -> ExitCode:
    """Check an installation, or a server from outside, and say how to mend what is wrong."""
    from affinity.cli.examining import from_inside, from_outside, handshakes

    if outside.url or outside.mllp or outside.connect:
        findings = list(handshakes(outside.connect or [], security))
        findings += from_outside(outside.url or [], outside.mllp or [], security)
    else:
        findings = list(from_inside(read_settings(node), security, domain_is_given=node.domain is not None))
    _show(findings, output)
    return ExitCode.REFUSED if any(each.state == "FAILED" for each in findings) else ExitCode.DONE


def _show(findings: "list[Finding]", output: Output) -> None:
    from affinity.cli.show import print_json, print_table

    if output.as_json:
        print_json([asdict(each) for each in findings])
        return
    styles = [STYLES.get(each.state.value, "") for each in findings]
    rows = ((each.check, each.state.value, each.detail, each.remedy) for each in findings)
    print_table(("check", "state", "what we see", "what to do"), rows, styles)
