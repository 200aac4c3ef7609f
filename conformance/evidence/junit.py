"""A run as JUnit XML, for build servers."""

from itertools import groupby

from lxml.etree import Element as NewElement
from lxml.etree import SubElement, _Element

from conformance.results import Outcome, Result, Run
from soap.xml import serialize

SKIPPED = (Outcome.NOT_CLAIMED, Outcome.SKIPPED, Outcome.WAITING)


def as_junit(run: Run) -> bytes:
    """One test suite for each suite; what is not claimed is skipped there, for the form has no word for it."""
    suites = NewElement("testsuites", name=run.system, time=f"{run.seconds:.3f}")
    by_suite = sorted(run.results, key=lambda each: each.suite)
    for name, results in groupby(by_suite, key=lambda each: each.suite):
        _suite(suites, name, tuple(results))
    return b'<?xml version="1.0" encoding="UTF-8"?>\n' + serialize(suites) + b"\n"


def _suite(suites: _Element, name: str, results: tuple[Result, ...]) -> None:
    counted = {
        "tests": len(results),
        "failures": sum(each.outcome is Outcome.FAILED for each in results),
        "errors": sum(each.outcome is Outcome.BROKEN for each in results),
        "skipped": sum(each.outcome in SKIPPED for each in results),
    }
    suite = SubElement(suites, "testsuite", name=name)
    for key, number in counted.items():
        suite.set(key, str(number))
    for each in results:
        _case(suite, each)


def _case(suite: _Element, result: Result) -> None:
    case = SubElement(suite, "testcase", name=result.name, classname=result.suite, time=f"{result.seconds:.3f}")
    if result.outcome is Outcome.FAILED:
        SubElement(case, "failure", message=_first_line(result.message)).text = result.message
    if result.outcome is Outcome.BROKEN:
        SubElement(case, "error", message=_first_line(result.message)).text = result.message
    if result.outcome in SKIPPED:
        SubElement(case, "skipped", message=result.message or result.outcome)
    SubElement(case, "system-out").text = f"{result.sentence} Covers: {', '.join(result.covers)}"


def _first_line(text: str) -> str:
    return text.splitlines()[0] if text else ""
