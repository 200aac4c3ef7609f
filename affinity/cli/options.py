"""Options that several verbs have in common, in groups as ``--help`` shows them."""

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import typer

Where = Annotated[
    Path | None,
    typer.Option(
        "--data", help="Data directory of a node on this machine: gives the addresses that you do not.", file_okay=False
    ),
]
DomainName = Annotated[
    str | None,
    typer.Option("--domain", help="A shipped domain (demo, connectathon) or a directory like one: its codes and ids."),
]


@dataclass(frozen=True, slots=True, kw_only=True)
class Security:
    """TLS, and how long to wait."""

    tls_ca: Annotated[
        Path | None,
        typer.Option(
            help="PEM file of the authorities to trust; turns TLS on for MLLP.",
            exists=True,
            dir_okay=False,
            rich_help_panel="Connection",
        ),
    ] = None
    cert: Annotated[
        Path | None,
        typer.Option(help="PEM file of our certificate with its chain.", exists=True, rich_help_panel="Connection"),
    ] = None
    key: Annotated[
        Path | None, typer.Option(help="PEM file of our private key.", exists=True, rich_help_panel="Connection")
    ] = None
    timeout: Annotated[
        float, typer.Option(help="Seconds to wait for an answer.", min=0.1, rich_help_panel="Connection")
    ] = 30.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Identity:
    """Who asks, as a signed assertion says it (ITI-40)."""

    assertion: Annotated[
        Path | None,
        typer.Option(help="File that holds a signed SAML assertion.", exists=True, rich_help_panel="Who asks (XUA)"),
    ] = None
    sts: Annotated[
        str | None,
        typer.Option(help="Security token service to ask for one (WS-Trust 1.3).", rich_help_panel="Who asks (XUA)"),
    ] = None
    role: Annotated[
        str,
        typer.Option(
            help="With --sts: referring-doctor, treating-doctor, laboratory, nurse or patient.",
            rich_help_panel="Who asks (XUA)",
        ),
    ] = "treating-doctor"
    audience: Annotated[
        str | None,
        typer.Option(
            help="With --sts: the service for which it is; else the domain's homeCommunityId.",
            rich_help_panel="Who asks (XUA)",
        ),
    ] = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Sender:
    """How we name ourselves and the receiver in HL7 v2: APPLICATION|FACILITY."""

    sender: Annotated[str, typer.Option(help="MSH-3 and MSH-4: APPLICATION|FACILITY.", rich_help_panel="HL7 v2")] = (
        "AFFINITY-CLIENT|AFFINITY-CLIENT"
    )
    receiver: Annotated[str, typer.Option(help="MSH-5 and MSH-6: APPLICATION|FACILITY.", rich_help_panel="HL7 v2")] = (
        "AFFINITY|AFFINITY"
    )
