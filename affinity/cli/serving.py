"""``affinity up`` and ``affinity serve``."""

from pathlib import Path
from typing import Annotated, Any

import typer
from pydantic import ValidationError

from affinity import settings
from affinity.settings import Settings
from xua.authentication import XUAMode

Config = Annotated[Path | None, typer.Option(help="Settings file (TOML).", exists=True, dir_okay=False)]
Domain = Annotated[str | None, typer.Option(help="A shipped domain (demo, connectathon) or a directory like one.")]
Data = Annotated[Path | None, typer.Option(help="Where everything is kept: database, documents, keys, ports.json.")]
Host = Annotated[str | None, typer.Option(help="Address to listen on.")]
Port = Annotated[int | None, typer.Option(help="Port; 0 takes any free one.", min=0, max=65535)]
DatabaseURL = Annotated[str | None, typer.Option(help="For example postgresql+psycopg://user@host/name.")]
XUAOption = Annotated[XUAMode | None, typer.Option("--xua", help="What a SOAP request without an assertion meets.")]
Audience = Annotated[list[str] | None, typer.Option(help="Audience this node answers to; repeatable.")]
Trust = Annotated[list[str] | None, typer.Option(help="ISSUER=CERT.pem: an assertion issuer to trust; repeatable.")]


def up(
    domain: Domain = None,
    data: Data = None,
    config: Config = None,
    host: Host = None,
    http_port: Port = None,
    https_port: Port = None,
    mllp_port: Port = None,
    mllps_port: Port = None,
    database_url: DatabaseURL = None,
    xua: XUAOption = None,
    audience: Audience = None,
    trust: Trust = None,
    demo: Annotated[bool, typer.Option(help="Play the demonstration traffic through the server's own ports.")] = True,
    exit_after_demo: Annotated[bool, typer.Option(help="Stop after it: exit code 0 if every step held.")] = False,
) -> None:
    """Start a development server: makes its own CA and keys, serves, and plays demonstration traffic."""
    from affinity.development import run_development

    chosen = _settings(locals())
    raise typer.Exit(run_development(chosen, demo=demo, exit_after_demo=exit_after_demo))


def serve(
    domain: Domain = None,
    data: Data = None,
    config: Config = None,
    host: Host = None,
    http_port: Port = None,
    https_port: Port = None,
    mllp_port: Port = None,
    mllps_port: Port = None,
    database_url: DatabaseURL = None,
    xua: XUAOption = None,
    audience: Audience = None,
    trust: Trust = None,
) -> None:
    """Serve for real: your certificates, assertions required unless you say otherwise, no development keys."""
    from affinity.production import run_production

    raise typer.Exit(run_production(_settings(locals())))


def _settings(options: dict[str, Any]) -> Settings:
    """Command-line options above environment above file; every wrong value named at once."""
    try:
        return settings.load(options["config"], _overrides(options))
    except ValidationError as error:
        for wrong in error.errors():
            typer.echo(f"settings: {'.'.join(map(str, wrong['loc']))}: {wrong['msg']}", err=True)
        raise typer.Exit(2) from error


def _overrides(options: dict[str, Any]) -> dict[str, Any]:
    plain = {name: options[name] for name in ("domain", "data", "database_url")}
    listen = {name: options[name] for name in ("host", "http_port", "https_port", "mllp_port", "mllps_port")}
    xua = {"mode": options["xua"], "audience": options["audience"], "trust": _trust(options["trust"])}
    given: dict[str, Any] = {name: value for name, value in plain.items() if value is not None}
    for section, values in (("listen", listen), ("xua", xua)):
        if chosen := {name: value for name, value in values.items() if value is not None}:
            given[section] = chosen
    return given


def _trust(pairs: list[str] | None) -> dict[str, Path] | None:
    if not pairs:
        return None
    trusted = {}
    for pair in pairs:
        issuer, equals, file = pair.rpartition("=")
        if not equals or not issuer or not Path(file).is_file():
            raise typer.BadParameter(f"--trust wants ISSUER=CERT.pem with a readable file, not {pair!r}")
        trusted[issuer] = Path(file)
    return trusted
