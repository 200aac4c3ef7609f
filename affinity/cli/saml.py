"""``affinity saml``: make an assertion for a test, check one, and say why it is refused."""

from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from affinity.cli.options import Where
from affinity.cli.verbs import ExitCode, Output, verb, wrong_use

if TYPE_CHECKING:
    from xua.explaining import Explanation

ISSUE_EXAMPLES = r"""[bold]Examples[/bold]
  affinity saml issue --role nurse > nurse.xml
      a token of the development node in this directory; the node need not be running

  affinity saml issue --defect expired --soap --out expired.xml
      one that must be refused, in a SOAP message

  affinity saml issue --patient '1234^^^&2.25.77&ISO' --audience urn:oid:2.25.99.1

Defects: expired, not-yet-valid, wrong-audience, no-authn-statement, second-role, second-purpose, unsigned, wrong-key,
forged, wrapped. A key that is not of development signs nothing here."""
VERIFY_EXAMPLES = r"""[bold]Examples[/bold]
  affinity saml verify nurse.xml
      whom a development node would take the bearer for

  affinity saml verify token.xml --config affinity.toml
      as the node with these settings would

  affinity saml verify token.xml --trust https://sts.example.org=sts.pem --audience urn:oid:2.25.99.1 \
      --at 2026-03-01T09:30:00Z

Exit code 1 says that the assertion would be refused."""
EXPLAIN_EXAMPLES = r"""[bold]Examples[/bold]
  affinity saml explain request.xml
      every check in its order: what was found, what the rule is, where it failed

  affinity saml explain token.xml --config affinity.toml --client-cert partner.pem --json

The file holds a SOAP message, an assertion, or the answer of a token service. Exit code 1 says that a check failed."""

app = typer.Typer(
    help="User assertions (XUA): issue them for tests, verify them, explain a refusal.",
    no_args_is_help=True,
    rich_markup_mode="rich",
)
PANEL = "Whom to believe"
File = Annotated[
    Path, typer.Argument(help="A SOAP message, an assertion, or a token service's answer.", exists=True, dir_okay=False)
]


@dataclass(frozen=True, slots=True, kw_only=True)
class Believing:
    """The node in whose place the assertion is checked."""

    config: Annotated[
        Path | None, typer.Option(help="Settings file of the node (TOML).", exists=True, rich_help_panel=PANEL)
    ] = None
    domain: Annotated[str | None, typer.Option(help="Its domain: a name or a directory.", rich_help_panel=PANEL)] = None
    data: Where = None
    audience: Annotated[
        list[str] | None, typer.Option(help="Audience it answers to; repeatable.", rich_help_panel=PANEL)
    ] = None
    trust: Annotated[
        list[str] | None,
        typer.Option(metavar="ISSUER=CERT.pem", help="An issuer it trusts; repeatable.", rich_help_panel=PANEL),
    ] = None
    at: Annotated[
        datetime | None,
        typer.Option(
            metavar="INSTANT",
            help="The moment of the check, such as 2026-03-01T09:30:00Z; else now.",
            formats=["%Y-%m-%dT%H:%M:%S%z", "%Y-%m-%dT%H:%M:%SZ"],
            rich_help_panel=PANEL,
        ),
    ] = None
    client_cert: Annotated[
        Path | None,
        typer.Option(help="The TLS client's certificate (PEM), for holder-of-key.", exists=True, rich_help_panel=PANEL),
    ] = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """What the assertion shall say."""

    role: Annotated[str, typer.Option(help="referring-doctor, treating-doctor, laboratory, nurse or patient.")] = (
        "treating-doctor"
    )
    audience: Annotated[str | None, typer.Option(help="The service; else the domain's homeCommunityId.")] = None
    patient: Annotated[str | None, typer.Option(help="The patient it is about: id^^^&oid&ISO (resource-id).")] = None
    defect: Annotated[str | None, typer.Option(help="What shall be wrong with it; see below.")] = None


Soap = Annotated[bool, typer.Option("--soap", help="In the security header of an empty SOAP message.")]
Out = Annotated[Path | None, typer.Option(help="Write to this file; else to standard output.", dir_okay=False)]


@verb
def issue(asked: Asked, output: Output, data: Where = None, soap: Soap = False, out: Out = None) -> ExitCode:
    """Issue an assertion for an invented person, with the development node's own key."""
    from affinity.cli.saml_tokens import Order, issued

    order = Order(
        role=asked.role, audience=asked.audience, patient=asked.patient, defect=asked.defect, data=data, soap=soap
    )
    token = issued(order)
    if output.as_json:
        from affinity.cli.show import print_json

        print_json({"assertion": token.decode()})
    elif out is not None:
        out.write_bytes(token + b"\n")
    else:
        typer.echo(token.decode())
    return ExitCode.DONE


@verb
def verify(file: File, believing: Believing, output: Output) -> ExitCode:
    """Say whom the assertion proves, or why it would be refused."""
    from affinity.cli.saml_findings import show_verdict

    return show_verdict(_explained(file, believing), output)


@verb
def explain(file: File, believing: Believing, output: Output) -> ExitCode:
    """Show every check of the assertion: what was found, what the rule is, where it failed."""
    from affinity.cli.saml_findings import show_findings

    return show_findings(_explained(file, believing), output)


def _explained(file: Path, believing: Believing) -> "Explanation":
    from affinity.cli.saml_tokens import circumstances, trusted
    from affinity.cli.serving import NodeOptions, read_settings
    from xua.explaining import explain as explain_checks

    node = NodeOptions(
        config=believing.config,
        domain=believing.domain,
        data=believing.data,
        audience=believing.audience,
        trust=believing.trust,
    )
    settings = read_settings(node)
    try:
        return explain_checks(
            file.read_bytes(),
            trusted(settings, domain_is_given=believing.domain is not None),
            circumstances(settings, believing.at, believing.client_cert),
        )
    except ValueError as error:
        raise wrong_use(f"{file}: {error}") from error


app.command("issue", epilog=ISSUE_EXAMPLES)(issue)
app.command("verify", epilog=VERIFY_EXAMPLES)(verify)
app.command("explain", epilog=EXPLAIN_EXAMPLES)(explain)
