"""The checks of an assertion as a table and as JSON."""

from collections.abc import Iterator, Mapping
from dataclasses import asdict
from typing import Any

from affinity.cli.show import print_json, print_line, print_table
from affinity.cli.verbs import ExitCode, Output
from ihe.exchange import Principal
from xua.explaining import Explanation, Finding, Verdict

STYLES: Mapping[Verdict, str] = {Verdict.FAILED: "red", Verdict.SKIPPED: "dim"}


def show_verdict(told: Explanation, output: Output) -> ExitCode:
    """The person, or the first reason for the refusal."""
    failed = _first_failed(told)
    if output.as_json:
        print_json({"accepted": failed is None, "principal": _plain(told.principal), "refused": _refusal(failed)})
    elif failed is not None:
        print_line(f"refused at {failed.step.title}: {failed.found}", "red")
        print_line(f"rule: {failed.step.value}")
    elif told.principal is not None:
        print_table(("claim", "value"), _rows(told.principal))
    return ExitCode.DONE if failed is None else ExitCode.REFUSED


def show_findings(told: Explanation, output: Output) -> ExitCode:
    """Every check."""
    failed = _first_failed(told)
    if output.as_json:
        checks = [
            {"check": each.step.title, "verdict": each.verdict.value, "found": each.found, "rule": each.step.value}
            for each in told.findings
        ]
        print_json({"accepted": failed is None, "checks": checks, "principal": _plain(told.principal)})
    else:
        rows = ((each.step.title, each.verdict.value, each.found, each.step.value) for each in told.findings)
        styles = [STYLES.get(each.verdict, "") for each in told.findings]
        print_table(("check", "verdict", "found", "rule"), rows, styles)
        print_line("" if failed is None else f"It would be refused: {failed.found}", "red" if failed else "")
    return ExitCode.DONE if failed is None else ExitCode.REFUSED


def _first_failed(told: Explanation) -> Finding | None:
    return next((each for each in told.findings if each.verdict is Verdict.FAILED), None)


def _refusal(failed: Finding | None) -> dict[str, str] | None:
    return None if failed is None else {"check": failed.step.title, "reason": failed.found, "rule": failed.step.value}


def _plain(principal: Principal | None) -> dict[str, Any] | None:
    return None if principal is None else asdict(principal)


def _rows(principal: Principal) -> Iterator[tuple[str, str]]:
    for name in Principal.__dataclass_fields__:
        value = getattr(principal, name)
        if value not in (None, ()):
            several = value if isinstance(value, tuple) else (value,)
            yield name, ", ".join(map(str, several))
