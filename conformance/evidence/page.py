"""A run as one page that needs nothing beside it: assertions by section, tests, the messages that prove them."""

from collections import Counter
from collections.abc import Iterable
from html import escape
from itertools import groupby

from conformance.evidence.folded import folded
from conformance.evidence.record import RunFile, WrittenVerdict, recorded
from conformance.exchanges import Exchange
from conformance.results import Outcome, Result, Run

STYLE = """:root{color-scheme:light dark}
body{font:15px/1.5 system-ui,sans-serif;max-width:76em;margin:2em auto;padding:0 1em}h1{margin-bottom:0}
h2{margin-top:2em;border-top:1px solid #8886;padding-top:1em}table{border-collapse:collapse;width:100%}
td,th{text-align:left;vertical-align:top;padding:.35em .6em;border-top:1px solid #8884}
code,pre{font:12.5px ui-monospace,monospace}
pre{white-space:pre-wrap;overflow-wrap:anywhere;margin:.3em 0;max-height:40em;overflow:auto}summary{cursor:pointer}
.passed{color:#1b7e34}.failed,.broken{color:#c62828;font-weight:600}.skipped,.waiting,.not{color:#8a6d00}
.bar{display:flex;height:.7em;border-radius:.35em;overflow:hidden;margin:.6em 0;background:#8883}
.bar i{display:block}.bar .passed{background:#2e9e4f}.bar .failed{background:#d33}.bar .broken{background:#a3a}
.bar .skipped,.bar .waiting,.bar .not{background:#c9a227}small{opacity:.75}nav a{margin-right:1em}"""
SCRIPT = """document.querySelector('#only').oninput=e=>{for(const r of document.querySelectorAll('[data-o]'))
r.hidden=e.target.value&&r.dataset.o!==e.target.value}"""


def as_page(run: Run) -> str:
    """The page. Messages are folded away; a test links the exchanges that it had."""
    file = recorded(run)
    parts = (
        _head(file),
        f"<h2 id=assertions>Assertions</h2>{_matrix(run, file.verdicts)}",
        f"<h2 id=tests>Tests</h2>{_tests(run.results)}",
        f"<h2 id=messages>Messages</h2>{''.join(map(_exchange, run.exchanges))}",
    )
    return (
        f'<!DOCTYPE html><html lang="en"><meta charset="utf-8"><meta name="viewport" content="width=device-width">'
        f"<title>{escape(run.system)}</title><style>{STYLE}</style>{''.join(parts)}<script>{SCRIPT}</script></html>\n"
    )


def _head(file: RunFile) -> str:
    counted = ", ".join(f"<span class={_class(each)}>{number} {each}</span>" for each, number in file.counts.items())
    options = "".join(f"<option>{each}</option>" for each in Outcome)
    when = f"{file.began:%Y-%m-%d %H:%M} UTC, {file.seconds:.1f} s"
    return (
        f"<h1>{escape(file.system)}</h1><p><small>{when}, seed {file.seed},"
        f" Affinity {escape(file.version)}</small></p>{_bar(Counter(file.counts))}<p>{counted}</p>"
        "<nav><a href=#assertions>Assertions</a><a href=#tests>Tests</a><a href=#messages>Messages</a> show"
        f" <select id=only><option value=''>everything</option>{options}</select></nav>"
    )


def _bar(counts: Counter[Outcome]) -> str:
    total = sum(counts.values()) or 1
    return "<div class=bar>{}</div>".format(
        "".join(f'<i class={_class(each)} style="width:{100 * counts[each] / total:.2f}%"></i>' for each in Outcome)
    )


def _matrix(run: Run, verdicts: Iterable[WrittenVerdict]) -> str:
    """Each assertion with its verdict and the tests that show it, by section."""
    shown: dict[str, list[int]] = {}
    for number, result in enumerate(run.results):
        for each in (*result.covers, *result.broken):
            shown.setdefault(each, []).append(number)
    return "".join(
        f"<h3>{escape(document)}: {escape(section)}</h3><table>"
        f"{''.join(_verdict(each, shown[each.id]) for each in group)}</table>"
        for (document, section), group in groupby(verdicts, key=lambda each: (each.document, each.section))
    )


def _verdict(each: WrittenVerdict, tests: list[int]) -> str:
    links = " ".join(f"<a href=#t{number}>{number + 1}</a>" for number in dict.fromkeys(tests))
    claim = f"{escape(each.text)} <small>{escape(each.actor)}</small>"
    return (
        f"<tr data-o='{each.outcome}'><td><code>{each.id}</code><td>{each.level}"
        f"<td class={_class(each.outcome)}>{each.outcome}<td>{claim}<td><small>tests {links}</small>"
    )


def _tests(results: Iterable[Result]) -> str:
    rows = "".join(_test(number, each) for number, each in enumerate(results))
    return f"<table><tr><th>#<th>suite<th>what it shows<th><th>exchanges{rows}</table>"


def _test(number: int, result: Result) -> str:
    exchanges = " ".join(f"<a href=#e{each}>{each}</a>" for each in result.exchanges)
    why = f"<pre>{escape(result.message)}</pre>" if result.message else ""
    covers = ", ".join((*result.covers, *(f"breaks {each}" for each in result.breaking)))
    shown = f"{escape(result.sentence)}{why}<br><small>{escape(covers)}</small>"
    return (
        f"<tr id=t{number} data-o='{result.outcome}'><td>{number + 1}<td>{escape(result.suite)}<td>{shown}"
        f"<td class={_class(result.outcome)}>{result.outcome}<td>{exchanges}"
    )


def _exchange(each: Exchange) -> str:
    """One exchange, folded: the request and what came of it."""
    answer = folded(each.answer) if each.answer else f"<p class=failed>{escape(each.failure)}</p>"
    title = f"{each.number}. {each.transaction or 'unknown'}: {each.initiator} &rarr; {each.responder}"
    how = f"{each.wire}, {each.seconds * 1000:.0f} ms"
    return (
        f"<details id=e{each.number}><summary>{title} <small>{how}</small></summary>"
        f"<h4>Request</h4>{folded(each.request)}<h4>Answer</h4>{answer}</details>"
    )


def _class(outcome: Outcome) -> str:
    return outcome.split(" ")[0]
