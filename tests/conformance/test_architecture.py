"""What the architecture promises of every module, read from the code itself (its syntax tree, not its text)."""

import ast
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PACKAGES = ("ihe", "hl7v2", "tls", "mllp", "soap", "statements", "xds", "pix", "xua", "affinity", "conformance")
SOURCES = {
    path.relative_to(ROOT).as_posix(): path
    for package in PACKAGES
    for path in sorted((ROOT / package).rglob("*.py"))
    if "migrations" not in path.parts
}
PARSING = {
    "XMLParser",
    "XMLPullParser",
    "HTMLParser",
    "fromstring",
    "fromstringlist",
    "parse",
    "iterparse",
    "XML",
    "HTML",
}
"""What reads XML in lxml.etree."""


@cache
def nodes(module: str) -> tuple[ast.AST, ...]:
    """Every node of its syntax tree: read once, for all tests."""
    return tuple(ast.walk(ast.parse(SOURCES[module].read_text())))


def imports(module: str) -> Iterator[tuple[str, str]]:
    """What a module imports: the module named, and the name taken from it or an empty text."""
    for node in nodes(module):
        if isinstance(node, ast.Import):
            yield from ((each.name, "") for each in node.names)
        elif isinstance(node, ast.ImportFrom) and node.level == 0:
            yield from ((node.module or "", each.name) for each in node.names)


def names_of_etree(module: str) -> set[str]:
    """The names of lxml.etree that a module uses, imported by name or as attributes of ``etree``."""
    by_name = {name for source, name in imports(module) if source == "lxml.etree"}
    attributes = {
        node.attr
        for node in nodes(module)
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.value.id == "etree"
    }
    return by_name | attributes


def test_the_walk_sees_the_code() -> None:
    assert len(SOURCES) > 200
    assert PARSING & names_of_etree("soap/xml.py")


def test_one_module_parses_xml() -> None:
    assert [module for module in SOURCES if PARSING & names_of_etree(module)] == ["soap/xml.py"]


def test_nobody_reads_xml_with_the_standard_library() -> None:
    parsers = ("xml.dom", "xml.etree", "xml.parsers", "xml.sax.expatreader", "xml.sax.handler", "xml.sax.xmlreader")
    found = [(module, f"{source}.{name}") for module in SOURCES for source, name in imports(module)]
    assert [module for module, name in found if name.startswith(parsers)] == []


@pytest.mark.parametrize(
    ("library", "module"),
    [
        ("hl7apy", "mllp/validation_worker.py"),
        ("signxml", "xua/signature.py"),
        ("spyne", "soap/spyne_compat.py"),
        ("cryptography.hazmat.primitives.ciphers", "xds/encryption.py"),
    ],
)
def test_a_parser_or_cipher_has_one_home(library: str, module: str) -> None:
    homes = {each for each in SOURCES for source, name in imports(each) if f"{source}.{name}".startswith(f"{library}.")}
    assert homes == {module}


def test_only_the_composition_root_prints() -> None:
    printing = {
        module
        for module in SOURCES
        for node in nodes(module)
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "print"
    }
    assert {module for module in printing if not module.startswith(("affinity/cli/", "affinity/demo/"))} <= {
        "conformance/statement.py",  # a command of its own: what it prints is the statement
        "conformance/catalogue_lint.py",  # the same: what it prints are the faults
        "conformance/counts.py",  # the same: the share of assertions that findings name
        "conformance/mutants/__main__.py",  # the same: the score
    }


def swallows(handler: ast.ExceptHandler) -> bool:
    """Claim that a handler of any exception does nothing at all."""
    general = handler.type is None or ast.unparse(handler.type) in ("Exception", "BaseException")
    return general and all(isinstance(each, ast.Pass | ast.Continue) for each in handler.body)


def test_no_exception_is_swallowed() -> None:
    handlers = ((module, node) for module in SOURCES for node in nodes(module) if isinstance(node, ast.ExceptHandler))
    assert [f"{module}:{handler.lineno}" for module, handler in handlers if swallows(handler)] == []


LOGGED = frozenset(
    {
        "again",
        "at",
        "awaited",
        "batches",
        "breach",
        "certificate",
        "code",
        "codes",
        "correlation",
        "correlation_id",
        "days",
        "draining",
        "error",
        "exc_info",
        "failure",
        "file",
        "host",
        "incident",
        "limit",
        "method",
        "open",
        "partner",
        "peer",
        "process",
        "ready",
        "reason",
        "receipts",
        "record",
        "repository",
        "seconds",
        "sender",
        "sha256",
        "side",
        "size",
        "statement",
        "status",
        "steward",
        "subcode",
        "subcodes",
        "transaction",
        "trigger",
        "wait",
        "what",
        "worker",
    }
)
"""What log events may hold: circumstances of an exchange, none of them an attribute of a patient."""


def test_log_events_hold_no_patient_data() -> None:
    told = {
        (module, keyword.arg)
        for module in SOURCES
        for node in nodes(module)
        if isinstance(node, ast.Call) and ast.unparse(node.func).startswith("log.")
        for keyword in node.keywords
        if keyword.arg is not None
    }
    assert {(module, name) for module, name in told if name not in LOGGED} == set()


def test_log_events_are_constant_texts() -> None:
    events = [
        (module, node.args[0])
        for module in SOURCES
        for node in nodes(module)
        if isinstance(node, ast.Call) and ast.unparse(node.func).startswith("log.") and node.args
    ]
    assert [module for module, event in events if not isinstance(event, ast.Constant)] == []
