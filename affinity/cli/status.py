"""``affinity status``: what runs, since when, and whether it is well."""

from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Annotated, Any

import typer

from affinity.cli.doctor import STYLES
from affinity.cli.options import Security
from affinity.cli.places import Place
from affinity.cli.verbs import ExitCode, Output, Stopped, verb

if TYPE_CHECKING:
    from affinity.cli.checks_server import Target
    from affinity.cli.finding import Finding
    from affinity.cli.gauges import Gauges

EXAMPLES = r"""[bold]Examples[/bold]
  affinity status
      the node that runs on this directory's data

  affinity status --config affinity.toml --tls-ca ca.pem --cert me.pem --key me.key
      a production node, which has no port without TLS

  affinity status --url https://one.example.org:8443 --url https://two.example.org:8443 --tls-ca ca.pem \
      --cert me.pem --key me.key --json
      two of them for a script

Exit code 0: healthy, though there may be warnings; 1: something has failed; 3: a node does not answer."""
Urls = Annotated[list[str] | None, typer.Option("--url", help="Base URL of a node, without path; repeatable.")]
WORDS = {
    "ok": ("healthy", "bold green"),
    "warning": ("works, with warnings", "bold yellow"),
    "FAILED": ("not well", "bold red"),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """What one node says."""

    url: str
    parts: "tuple[Finding, ...]"
    gauges: "Gauges"

    @property
    def health(self) -> str:
        """The worst of its parts."""
        states = {each.state.value for each in self.parts}
        return next((each for each in ("FAILED", "warning") if each in states), "ok")


@verb
def status(place: Place, security: Security, output: Output, urls: Urls = None) -> ExitCode:
    """Show what runs, since when, what waits, what ends soon, and whether all of it is well."""
    target = _target(place, security, urls)
    told = [_ask(url, target) for url in target.urls]
    _show(told, output)
    return ExitCode.REFUSED if any(each.health == "FAILED" for each in told) else ExitCode.DONE


def _target(place: Place, security: Security, urls: list[str] | None) -> "Target":
    from dataclasses import replace

    from affinity.cli.examining import elsewhere, own_server

    if urls:
        return elsewhere(urls, (), security)
    settings = place.settings()
    target = own_server(settings, security)
    if target is None:
        raise Stopped(ExitCode.UNREACHABLE, f"no node runs on {settings.data}: --data, --config or --url says which")
    if not target.urls:
        raise Stopped(ExitCode.UNREACHABLE, "the node has neither an HTTP nor an HTTPS port that could be asked")
    return replace(target, urls=target.urls[:1])  # plain HTTP, where there is one: it is the same node


def _ask(url: str, target: "Target") -> Told:
    import http.client
    from datetime import UTC, datetime
    from http import HTTPStatus

    from affinity.cli.checks_server import fetch
    from affinity.cli.finding import failed, ok
    from affinity.cli.gauges import Gauges
    from affinity.cli.status_parts import parts

    base = url.rstrip("/")
    try:
        ready, _, said = fetch(f"{base}/health/ready", target)
        allowed, _, page = fetch(f"{base}/metrics", target)
        if allowed == HTTPStatus.FORBIDDEN:
            raise Stopped(ExitCode.REFUSED, f"{base}/metrics: {page.decode('utf-8', 'replace').strip()}")
        gauges = Gauges.read(page.decode())
    except (http.client.HTTPException, ValueError) as error:
        raise Stopped(ExitCode.UNREACHABLE, f"{base} gives no answer that can be read: {error}") from error
    words = said[:200].decode("utf-8", "replace").strip()
    readiness = ok("ready", words) if ready == 200 else failed("ready", f"HTTP {ready}: {words}", "the log says more")
    return Told(url=base, parts=(readiness, *parts(gauges, datetime.now(UTC))), gauges=gauges)


def _show(told: list[Told], output: Output) -> None:
    from affinity.cli.show import print_json, print_line, print_table

    if output.as_json:
        print_json([_plain(each) for each in told])
        return
    for each in told:
        word, style = WORDS[each.health]
        print_line(f"{each.url}: {word}", style)
        rows = ((part.check, part.state.value, part.detail, part.remedy) for part in each.parts)
        styles = [STYLES.get(part.state.value, "") for part in each.parts]
        print_table(("part", "state", "what we see", "what to do"), rows, styles)


def _plain(told: Told) -> dict[str, Any]:
    return {
        "url": told.url,
        "health": told.health,
        "parts": [asdict(each) for each in told.parts],
        "measures": {str(each): each.value for each in told.gauges.samples},
    }
