"""``affinity up`` and ``affinity serve``."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal, NoReturn

import typer

from affinity.cli.verbs import Debugging, ExitCode, Stopped, verb, wrong_use

if TYPE_CHECKING:
    from affinity.serving.handover import Given
    from affinity.settings import Settings

UP_EXAMPLES = r"""[bold]Examples[/bold]
  affinity up
      the demo domain, its demonstration traffic, then stay

  affinity up --domain connectathon --no-demo --http-port 0 --mllp-port 0
      for a foreign client, on any free ports; they are in DATA/ports.json once they accept

  affinity up --domain my-domain/ --data /tmp/try --exit-after-demo
      does the demonstration hold in my domain? (make one with `affinity init`)"""
SERVE_EXAMPLES = r"""[bold]Examples[/bold]
  affinity serve --config affinity.toml
      as the file says (see `affinity config`)

  affinity serve --domain my-domain/ --data /var/lib/affinity --host 10.0.0.5 --trust urn:our:sts=sts.pem \
      --database-url postgresql+psycopg://affinity@db/affinity

  affinity serve --config affinity.toml --workers 4
      four processes under a parent; SIGHUP starts new ones before the old ones end (a rolling restart)

SIGTERM drains: what was received is answered, then the process ends with exit code 0."""
PANEL = "Listening"
Port = Annotated[int | None, typer.Option(help="Port; 0 takes any free one.", min=0, max=65535, rich_help_panel=PANEL)]
Workers = Annotated[
    int | None,
    typer.Option(
        help="Serve with so many processes, under a parent that supervises them.", min=1, max=64, rich_help_panel=PANEL
    ),
]
Demo = Annotated[bool, typer.Option(help="Play the demonstration traffic through the server's own ports.")]
ExitAfterDemo = Annotated[
    bool, typer.Option("--exit-after-demo", help="Stop after it: exit code 0 if every step held.")
]


@dataclass(frozen=True, slots=True, kw_only=True)
class NodeOptions:
    """The settings that are often wanted on the command line."""

    domain: Annotated[
        str | None, typer.Option(help="A shipped domain (demo, connectathon) or a directory like one.")
    ] = None
    data: Annotated[
        Path | None, typer.Option(help="Where everything is kept: database, documents, keys, ports.json.")
    ] = None
    config: Annotated[Path | None, typer.Option(help="Settings file (TOML).", exists=True, dir_okay=False)] = None
    host: Annotated[str | None, typer.Option(help="Address to listen on.", rich_help_panel=PANEL)] = None
    http_port: Port = None
    https_port: Port = None
    mllp_port: Port = None
    mllps_port: Port = None
    database_url: Annotated[str | None, typer.Option(help="For example postgresql+psycopg://user@host/name.")] = None
    xua: Annotated[
        Literal["off", "optional", "required"] | None,
        typer.Option("--xua", help="What a SOAP request without an assertion meets.", rich_help_panel="Who asks (XUA)"),
    ] = None
    audience: Annotated[
        list[str] | None,
        typer.Option(help="Audience this node answers to; repeatable.", rich_help_panel="Who asks (XUA)"),
    ] = None
    trust: Annotated[
        list[str] | None,
        typer.Option(
            metavar="ISSUER=CERT.pem",
            help="An assertion issuer to trust; repeatable.",
            rich_help_panel="Who asks (XUA)",
        ),
    ] = None


@verb
def up(node: NodeOptions, output: Debugging, demo: Demo = True, exit_after_demo: ExitAfterDemo = False) -> ExitCode:
    """Start a development server: makes its own CA and keys, serves, and plays demonstration traffic."""
    from affinity.development import run_development

    chosen = read_settings(node)
    return _start(lambda: run_development(chosen, demo=demo, exit_after_demo=exit_after_demo))


@verb
def serve(node: NodeOptions, output: Debugging, workers: Workers = None) -> ExitCode:
    """Serve for real: your certificates, assertions required unless you say otherwise, no development keys."""
    from affinity.production import run_production
    from affinity.serving.handover import Given

    chosen = overrides(node) | ({"workers": workers} if workers else {})
    given = Given(config=str(node.config) if node.config else None, overrides=chosen)
    settings = given.load()
    return _start(lambda: _supervise(given, settings) if settings.workers else run_production(settings))


def _supervise(given: "Given", settings: "Settings") -> NoReturn:
    from affinity.serving.preparing import supervise

    supervise(given, settings)


def read_settings(node: NodeOptions) -> "Settings":
    """Command-line options above environment above file. ValidationError names every wrong value."""
    from affinity import settings

    return settings.load(node.config, overrides(node))


def _start(run: Callable[[], int]) -> ExitCode:
    """Run a server; whatever keeps it from starting is wrong use, for it is a matter of settings."""
    from affinity.domain import DomainError
    from affinity.production import NotForProduction

    try:
        return ExitCode(run())
    except (NotForProduction, DomainError) as error:
        raise wrong_use(str(error)) from error
    except OSError as error:
        where = f"{error.filename}: " if error.filename else ""
        raise wrong_use(f"the server cannot start: {where}{error.strerror or error}") from error
    except ValueError as error:
        raise Stopped(ExitCode.WRONG_USE, f"the server cannot start: {error}") from error


def overrides(node: NodeOptions) -> dict[str, Any]:
    """What was said on the command line, in the shape of the settings."""
    listen = {name: getattr(node, name) for name in ("host", "http_port", "https_port", "mllp_port", "mllps_port")}
    given: dict[str, Any] = {name: getattr(node, name) for name in ("domain", "data", "database_url")}
    given["listen"] = _given(listen)
    given["xua"] = _given({"mode": node.xua, "audience": node.audience, "trust": _trust(node.trust)})
    return {name: value for name, value in given.items() if value not in (None, {})}


def _given(options: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in options.items() if value is not None}


def _trust(pairs: list[str] | None) -> dict[str, Path] | None:
    if not pairs:
        return None
    trusted = {}
    for pair in pairs:
        issuer, equals, file = pair.rpartition("=")
        if not equals or not issuer or not Path(file).is_file():
            raise wrong_use(f"--trust wants ISSUER=CERT.pem with a readable file, not {pair!r}")
        trusted[issuer] = Path(file)
    return trusted
