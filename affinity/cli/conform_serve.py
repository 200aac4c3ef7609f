"""``affinity conform serve``: listen for a client, and say step by step what it does right and wrong."""

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from affinity.cli.verbs import ExitCode, Output, verb, wrong_use

if TYPE_CHECKING:
    from conformance.clients.steps import ClientSuite
    from conformance.simulators.faults import Fault
    from conformance.simulators.simulator import DoorName
    from tls.files import TLS

EXAMPLES = r"""[bold]Examples[/bold]
  affinity conform serve --suite document-source
      opens ports for a LIS, prints where, and shows the steps while it sends; Ctrl-C ends

  affinity conform serve --suite patient-identity-source --until-done --for 600 --json
      for a build server: one JSON object a line; exit code 0 if every step was met within ten minutes

  affinity conform serve --suite document-source --fault 'ITI-41 2 drop' --fault 'ITI-41 each trickle 200'
      what goes wrong beside the steps: which transaction, which request, what; --faults FILE.toml has more of it

  affinity conform serve --suite x-service-user --host 0.0.0.0 --known-as sim.example.org --trust urn:our:sts=sts.pem
      for clients on other machines, with assertions of your own provider

Suites: patient-identity-source, patient-identity-source-v3, pix-consumer, pix-consumer-v3, pdq-consumer,
pdq-consumer-v3, document-source, document-consumer, x-service-user, audit-sender, audit-sender-udp, audit-sender-fhir,
pix-manager-notifications.
Faults: drop, close-before-answer, delay SECONDS, trickle BYTES, refuse CODE, soap-fault CODE, http-status NUMBER,
not-well-formed, truncated, wrong-content-type, altered-document, no-relates-to, wrong-relates-to, no-msa, wrong-msa-2,
wrong-error-code.
Exit code 1: a step was broken or not reached, or a message broke a SHALL."""
LISTENING, TRUST, FAULTY = "Listening", "Who is let in", "What goes wrong"
Port = Annotated[int, typer.Option(help="Port; 0 takes any free one.", min=0, max=65535, rich_help_panel=LISTENING)]


@dataclass(frozen=True, slots=True, kw_only=True)
class Doors:
    """Where the simulator listens; a suite opens those that it needs."""

    host: Annotated[str, typer.Option(help="Address to listen on.", rich_help_panel=LISTENING)] = "127.0.0.1"
    known_as: Annotated[
        list[str] | None,
        typer.Option(
            help="Name of this host for clients and in the certificate; repeatable.", rich_help_panel=LISTENING
        ),
    ] = None
    http_port: Port = 18080
    https_port: Port = 18443
    https_expired_port: Port = 18444
    https_stranger_port: Port = 18445
    mllp_port: Port = 12575
    mllps_port: Port = 12576
    consumer_mllp_port: Port = 12577
    syslogs_port: Port = 16514
    syslog_udp_port: Port = 15514
    any_port: Annotated[
        bool,
        typer.Option("--any-port", help="Any free ports; they are in FOLDER/ports.json.", rich_help_panel=LISTENING),
    ] = False

    def ports(self) -> "tuple[tuple[DoorName, int], ...]":
        """By door."""
        from conformance.simulators.simulator import DoorName

        if self.any_port:
            return ()
        return tuple((each, getattr(self, f"{each.value}_port")) for each in DoorName)


@dataclass(frozen=True, slots=True, kw_only=True)
class LetIn:
    """Certificates and assertions."""

    cert: Annotated[
        Path | None, typer.Option(help="Certificate to show (PEM); default: one that is made.", rich_help_panel=TRUST)
    ] = None
    key: Annotated[Path | None, typer.Option(help="Its key (PEM).", rich_help_panel=TRUST)] = None
    tls_ca: Annotated[
        Path | None, typer.Option(help="Authorities that issue clients' certificates (PEM).", rich_help_panel=TRUST)
    ] = None
    client_certificates: Annotated[
        Literal["required", "optional"],
        typer.Option(help="Whether a client must show one (ITI TF-2: 3.19).", rich_help_panel=TRUST),
    ] = "required"
    xua: Annotated[
        Literal["off", "optional", "required"] | None,
        typer.Option(
            "--xua",
            help="What a request without an assertion meets; default: as the suite needs it.",
            rich_help_panel=TRUST,
        ),
    ] = None
    trust: Annotated[
        list[str] | None,
        typer.Option(
            metavar="ISSUER=CERT.pem", help="An assertion issuer to trust; repeatable.", rich_help_panel=TRUST
        ),
    ] = None

    def tls(self) -> "TLS | None":
        """The certificates that were given; None: none were."""
        from tls.files import TLS

        given = (self.cert, self.key, self.tls_ca)
        if given == (None, None, None):
            return None
        if self.cert is None or self.key is None or self.tls_ca is None:
            raise wrong_use("--cert, --key and --tls-ca are given together, or none of them")
        return TLS(certificate=self.cert, key=self.key, authorities=self.tls_ca)


@dataclass(frozen=True, slots=True, kw_only=True)
class Planned:
    """What goes wrong beside what the steps plan themselves."""

    fault: Annotated[
        list[str] | None,
        typer.Option(
            metavar="'ITI-41 2 delay 5'",
            help="Transaction (or any), number of the request (or each), fault, detail; repeatable.",
            rich_help_panel=FAULTY,
        ),
    ] = None
    faults: Annotated[
        Path | None, typer.Option(help="More of them (TOML).", exists=True, dir_okay=False, rich_help_panel=FAULTY)
    ] = None
    delay: Annotated[
        float,
        typer.Option(help="Seconds for which late answers of the steps keep away.", min=0.1, rich_help_panel=FAULTY),
    ] = 60.0

    def all(self) -> "tuple[Fault, ...]":
        """Those of the command line, then those of the file."""
        from conformance.simulators.faults import UnusablePlan, spelled
        from conformance.simulators.plan_file import read_plan

        try:
            return (*map(spelled, self.fault or ()), *(read_plan(self.faults) if self.faults else ()))
        except UnusablePlan as error:
            raise wrong_use(str(error)) from error


SuiteName = Annotated[str, typer.Option("--suite", help="What the client is; the list is below.")]
System = Annotated[str, typer.Option(help="How reports call the client.")]
Skip = Annotated[list[str] | None, typer.Option(help="A step that the client does not claim; repeatable.")]
Domain = Annotated[str, typer.Option(help="A shipped domain or a directory like one.")]
UntilDone = Annotated[bool, typer.Option("--until-done", help="End when no step is left.")]
For = Annotated[float | None, typer.Option("--for", help="End after so many seconds.", min=0.1)]
Folder = Annotated[
    Path | None,
    typer.Option(help="Certificates, ports.json and the evidence; default: ./conform-SUITE.", file_okay=False),
]
SecondOpinion = Annotated[bool, typer.Option("--hl7apy/--no-hl7apy", help="Ask hl7apy about HL7 v2 messages, too.")]


@verb
def serve(
    suite: SuiteName,
    output: Output,
    doors: Doors,
    let_in: LetIn,
    planned: Planned,
    system: System = "client under test",
    skip: Skip = None,
    domain: Domain = "connectathon",
    until_done: UntilDone = False,
    seconds: For = None,
    folder: Folder = None,
    hl7apy: SecondOpinion = True,
) -> ExitCode:
    """Listen as the counterparts of a client, and judge what it sends. Nothing real may be sent here."""
    from affinity.cli.conform_watch import Watching, watch
    from conformance.clients.session import Wanted
    from conformance.validators.context import no_second_opinion
    from mllp.validation import Validator
    from xua.authentication import XUAMode

    chosen = _suite(suite, planned.delay, skip or [])
    wanted = Wanted(
        suite=chosen,
        folder=folder or Path(f"conform-{suite}"),
        domain=domain,
        host=doors.host,
        names=tuple(doors.known_as or ()),
        ports=doors.ports(),
        demands_certificates=let_in.client_certificates == "required",
        xua=XUAMode(let_in.xua) if let_in.xua else None,
        trust=tuple(let_in.trust or ()),
        given=let_in.tls(),
        faults=planned.all(),
        skipped=frozenset(skip or ()),
        second_opinion=Validator().check if hl7apy else no_second_opinion,
    )
    return watch(wanted, Watching(system=system, until_done=until_done, seconds=seconds, as_json=output.as_json))


def _suite(name: str, delay: float, skipped: list[str]) -> "ClientSuite":
    from conformance.clients.course import unknown
    from conformance.clients.suites import client_suite

    try:
        chosen = client_suite(name, delay)
    except ValueError as error:
        raise wrong_use(f"--suite: {error}") from error
    for each in unknown(chosen, skipped):
        known = ", ".join(step.name for step in chosen.steps)
        raise wrong_use(f"--skip {each}: the steps of {name} are {known}")
    return chosen
