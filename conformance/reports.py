"""What was found in many files, as JSON, as JUnit XML, as one page of HTML."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from html import escape
from typing import Any

from lxml.etree import Element as NewElement
from lxml.etree import SubElement, _Element

from conformance.excerpts import Excerpt, excerpt
from conformance.findings import Finding
from conformance.kinds import NotRecognised
from conformance.validating import Report, validate
from conformance.validators.context import Context
from soap.xml import serialize

STYLE = """body{font:15px/1.5 system-ui,sans-serif;max-width:70em;margin:2em auto;padding:0 1em;color:#222}
h2{border-top:1px solid #ccc;padding-top:1em;font-size:1.1em}table{border-collapse:collapse;width:100%}
td{vertical-align:top;padding:.4em .6em;border-top:1px solid #eee}code,pre{font:13px ui-monospace,monospace}
pre{white-space:pre-wrap;margin:.2em 0;color:#555}mark{background:#ffe08a}.SHALL,.NOT{color:#b00020;font-weight:600}
.SHOULD{color:#8a6d00}.MAY{color:#555}.clean{color:#1b6e2e}"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Examined:
    """One file and what was found in it; ``report`` None: it could not be looked at, ``why`` says it."""

    name: str
    source: bytes
    report: Report | None
    why: str = ""

    @property
    def is_clean(self) -> bool:
        """Claim that a receiver has no reason to refuse the message."""
        return self.report is not None and not self.report.errors

    def located(self) -> Iterator[tuple[Finding, Excerpt | None]]:
        """Each finding with its place in the source."""
        for each in self.report.findings if self.report else ():
            yield each, excerpt(self.source, each.location, each.line)


def examine(name: str, source: bytes, context: Context) -> Examined:
    """Validate one file."""
    try:
        return Examined(name=name, source=source, report=validate(source, context))
    except NotRecognised as error:
        return Examined(name=name, source=source, report=None, why=str(error))


def as_json(examined: Iterable[Examined]) -> list[dict[str, Any]]:
    """A list, one object for each file."""
    return [
        {
            "file": each.name,
            "kind": each.report.kind if each.report else None,
            "transaction": each.report.transaction if each.report else None,
            "not_looked_at": each.why or None,
            "errors": each.report.errors if each.report else None,
            "findings": [_plain(finding, place) for finding, place in each.located()],
        }
        for each in examined
    ]


def as_junit(examined: Sequence[Examined]) -> bytes:
    """One test case for each file; what breaks a SHALL makes it fail."""
    suite = NewElement("testsuite", name="affinity validate", tests=str(len(examined)))
    suite.set("failures", str(sum(each.report is not None and not each.is_clean for each in examined)))
    suite.set("errors", str(sum(each.report is None for each in examined)))
    for each in examined:
        kind = f"{each.report.kind} {each.report.transaction or ''}".strip() if each.report else "not recognised"
        case = SubElement(suite, "testcase", name=each.name, classname=kind)
        if each.report is None:
            SubElement(case, "error", message=each.why)
        _failures(case, each)
    return b'<?xml version="1.0" encoding="UTF-8"?>\n' + serialize(suite) + b"\n"


def as_html(examined: Iterable[Examined]) -> str:
    """One page that needs nothing beside it."""
    parts = "".join(map(_section, examined))
    return (
        f'<!DOCTYPE html><html lang="en"><meta charset="utf-8"><title>affinity validate</title><style>{STYLE}</style>'
        f"<h1>Validated messages</h1>{parts}</html>\n"
    )


def sentence(finding: Finding) -> str:
    """The finding with what was seen, what is expected, and how to mend it."""
    parts = [finding.text.rstrip(".")]
    parts += [f"found: {finding.observed}"] if finding.observed else []
    parts += [f"expected: {finding.expected}"] if finding.expected else []
    parts += [finding.hint.rstrip(".")] if finding.hint else []
    return "; ".join(parts)


def sources(finding: Finding) -> str:
    """Where it is written: the section, and the ids of the assertions."""
    return ", ".join((*([str(finding.citation)] if finding.citation else ()), *finding.assertions))


def _plain(finding: Finding, place: Excerpt | None) -> dict[str, Any]:
    return {
        "level": finding.level,
        "text": finding.text,
        "location": finding.location,
        "line": place.line if place else None,
        "observed": finding.observed,
        "expected": finding.expected,
        "hint": finding.hint or None,
        "citation": str(finding.citation) if finding.citation else None,
        "code": finding.code or None,
        "assertions": list(finding.assertions),
    }


def _failures(case: _Element, examined: Examined) -> None:
    for finding, place in examined.located():
        where = f"line {place.line}, {finding.location}" if place else finding.location
        text = f"{where}: {sentence(finding)} ({sources(finding)})"
        if finding.is_error:
            failure = SubElement(case, "failure", message=finding.text, type=finding.code or finding.level)
            failure.text = text
        else:
            SubElement(case, "system-out").text = f"{finding.level}: {text}"


def _section(examined: Examined) -> str:
    title = f"<h2>{escape(examined.name)}</h2>"
    if examined.report is None:
        return f"{title}<p class=SHALL>Not looked at: {escape(examined.why)}</p>"
    what = escape(f"{examined.report.kind} {examined.report.transaction or ''}".strip())
    rows = "".join(_row(finding, place) for finding, place in examined.located())
    return f"{title}<p>{what}</p>" + (f"<table>{rows}</table>" if rows else "<p class=clean>Nothing was found.</p>")


def _row(finding: Finding, place: Excerpt | None) -> str:
    source = ""
    if place is not None:
        before, marked, after = map(escape, (place.before, place.marked, place.after))
        source = f"<pre>{place.line}: {before}<mark>{marked}</mark>{after}</pre>"
    return (
        f'<tr><td class="{finding.level}">{finding.level}<td><code>{escape(finding.location)}</code>'
        f"<td>{escape(sentence(finding))}{source}<td>{escape(sources(finding))}"
    )
