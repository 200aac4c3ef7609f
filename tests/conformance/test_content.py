"""Content models: beside regular expressions, beside the official schemas, and on hostile input."""

import random
import re
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from lxml import etree
from lxml.etree import _Element

from conformance.content_automaton import START, Automaton, automaton
from conformance.content_models import content_models
from conformance.content_notation import Choice, NotAModel, Occurs, Particle, Sequence, parse
from conformance.validators.content import MOST, deviations
from ihe.citations import tf2
from pix.v3_elements import NAMESPACE, name_of
from soap.xml import parse as parse_xml
from soap.xml import schema
from tests.conformance.mutations import Mutation, mutations

GOLDEN = Path(__file__).parents[1] / "pix/v3/messages"
MUTATIONS = 25
"""How many changes of each sample are tried. Of 26,880 tried by hand the schemas and the tables differed in 12."""
Q = tf2("Q")


def takes(model: Automaton, names: str) -> bool:
    state = START
    for name in names:
        following = model.following[state].get(name)
        if following is None:
            return False
        state = following
    return state in model.accepting


@st.composite
def models(draw: st.DrawFn) -> str:
    """A model in which no name comes twice, so that it is deterministic."""
    names = draw(st.permutations("abcdef").map(lambda each: list(each[:4])))
    return _model(draw, names)


def _model(draw: st.DrawFn, names: list[str]) -> str:
    suffix = draw(st.sampled_from(("", "?", "*", "+", "{0,2}", "{1,3}")))
    if len(names) == 1:
        return f"{names[0]}:T{suffix}"
    cut = draw(st.integers(1, len(names) - 1))
    joint = draw(st.sampled_from((" ", " | ")))
    return f"({_model(draw, names[:cut])}{joint}{_model(draw, names[cut:])}){suffix}"


@settings(max_examples=50)
@given(text=models(), names=st.text("abcdef", max_size=7))
def test_an_automaton_takes_what_the_regular_expression_takes(text: str, names: str) -> None:
    expression = re.compile(text.replace(":T", "").replace(" ", ""))
    assert takes(automaton(parse(text)), names) == bool(expression.fullmatch(names))


def test_a_model_is_read_with_types_nils_and_counts() -> None:
    assert parse("id:II+ (a:A~ | b:*)? c:C{2,3}") == Sequence(
        (
            Occurs(Particle("id", "II"), 1, None),
            Occurs(Choice((Particle("a", "A", True), Particle("b", "*"))), 0, 1),
            Occurs(Particle("c", "C"), 2, 3),
        )
    )


@pytest.mark.parametrize("text", ["id", "(a:A", "a:A )", "a:A !"])
def test_a_model_that_is_written_wrongly_is_refused(text: str) -> None:
    with pytest.raises(NotAModel):
        parse(text)


@pytest.mark.parametrize("name", ["hl7v3", "cda"])
def test_every_type_of_the_tables_is_there_and_deterministic(name: str) -> None:
    models = content_models(name)
    for each in models.types.values():
        assert each.base is None or each.base in models.types
        for place in each.automaton.places:
            assert place.type == "*" or place.type in models.types, f"{each.name}: {place.type}"


def messages() -> Iterator[_Element]:
    for path in sorted(GOLDEN.glob("*.xml")):
        yield parse_xml(path.read_bytes())


@pytest.mark.parametrize("root", [*messages()], ids=name_of)
def test_a_good_message_has_no_deviation(root: _Element) -> None:
    assert deviations(root, "hl7v3", Q) == ()


MESSAGE = (GOLDEN / "iti47_query.xml").read_bytes()


@pytest.mark.parametrize(
    ("old", "new", "location", "observed"),
    [
        ("<creationTime", "<unheard/><creationTime", "/PRPA_IN201305UV02/unheard", "unheard"),
        (r"<creationTime[^>]*>", "", "/PRPA_IN201305UV02/creationTime", None),
        (r"(<acceptAckCode[^>]*>)", r"\1\1", "/PRPA_IN201305UV02/acceptAckCode[2]", "acceptAckCode"),
        ('typeCode="RCV"', 'typeCode="XYZ"', "/PRPA_IN201305UV02/receiver/@typeCode", "XYZ"),
        ('typeCode="RCV"', "", "/PRPA_IN201305UV02/receiver/@typeCode", None),
        ("<receiver ", '<receiver nonsense="1" ', "/PRPA_IN201305UV02/receiver/@nonsense", "nonsense"),
        ("</receiver>", "words</receiver>", "/PRPA_IN201305UV02/receiver", "words"),
    ],
)
def test_one_change_is_one_deviation(old: str, new: str, location: str, observed: str | None) -> None:
    changed = re.sub(old, new, MESSAGE.decode(), count=1)
    assert changed != MESSAGE.decode()
    (finding,) = deviations(parse_xml(changed.encode()), "hl7v3", Q)
    assert (finding.location, finding.observed) == (location, observed)


def test_a_type_is_named_with_a_prefix_that_is_declared() -> None:
    good = b"""<PRPA_IN201305UV02 xmlns="urn:hl7-org:v3" xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance"/>"""
    assert deviations(parse_xml(good), "hl7v3", Q)
    typed = MESSAGE.decode().replace("<creationTime ", '<creationTime xsi:type="{}" ')
    assert 'xsi:type="{}"' in typed and "xmlns:xsi" in typed
    assert deviations(parse_xml(typed.format("IVL_TS").encode()), "hl7v3", Q) == ()
    for wrong in ("INT", "nobody", "x:TS"):
        (finding,) = deviations(parse_xml(typed.format(wrong).encode()), "hl7v3", Q)
        assert (finding.location, finding.observed) == ("/PRPA_IN201305UV02/creationTime/@xsi:type", wrong)


def calls(work: Callable[[], object]) -> int:
    """How many Python functions are called, which no busy machine changes."""
    counted = 0

    def count(_: object, event: str, __: object) -> None:
        nonlocal counted
        counted += event == "call"

    sys.setprofile(count)
    try:
        work()
    finally:
        sys.setprofile(None)
    return counted


@pytest.mark.parametrize("piece", ["<subject/>", "<unheard/>", "<id/>", "<receiver typeCode='RCV'/>", "words<id/>"])
def test_hostile_input_is_read_in_a_time_that_grows_with_its_length_alone(piece: str) -> None:
    def steps(count: int) -> int:
        root = parse_xml(f'<PRPA_IN201306UV02 xmlns="{NAMESPACE}">{piece * count}</PRPA_IN201306UV02>'.encode())
        return calls(lambda: deviations(root, "hl7v3", Q))

    steps(MOST)
    assert steps(2000) < 12 * steps(200)


def samples(shared: Path) -> Iterator[tuple[Path, _Element, str]]:
    """Messages and documents of other systems that the official schemas take, each with its schema."""
    for folder in ("ITI-44", "ITI-45", "ITI-47", "CDA"):
        for path in sorted((shared / "samples" / folder).glob("*.xml")):
            if path.name == "hieos_PIDFeedTemplate.xml" or path.stat().st_size > 60_000:
                continue
            for root in etree.parse(path).getroot().iter(f"{{{NAMESPACE}}}*"):
                if name_of(root) in (*content_models("hl7v3").roots, "ClinicalDocument"):
                    yield path, root, name_of(root)


def official(shared: Path, name: str) -> etree.XMLSchema:
    here = shared / "schemas"
    if name == "ClinicalDocument":
        return schema(here / "CDA/cdar2/infrastructure/cda/CDA.xsd")
    return schema(here / f"HL7V3/NE2008/multicacheschemas/{name.removesuffix('_Cancel')}.xsd")


def beside_the_schema(root: _Element, known: etree.XMLSchema, mutation: Mutation) -> str:
    """Empty, or how the schema and we differ about a changed message."""
    changed = mutation.of(root)
    valid, found = known.validate(changed), deviations(changed, _models(root), Q)
    return "" if valid == (not found) else f"{mutation.where}: {'only we' if valid else 'only the schema'} refuse it"


def _models(root: _Element) -> str:
    return "cda" if name_of(root) == "ClinicalDocument" else "hl7v3"


KNOWN = re.compile(r"_double .*only the schema")
"""IDs that come twice, which a rule of CDA documents finds and not the content model."""


def test_what_the_official_schemas_refuse_is_found_and_nothing_else(shared: Path) -> None:
    schemas: dict[str, etree.XMLSchema] = {}
    for path, sample, name in samples(shared):
        root = etree.fromstring(etree.tostring(sample))
        known = schemas.setdefault(name, official(shared, name))
        if not known.validate(root):  # extensions of a nation, which the plain schema does not know
            continue
        chosen = random.Random(path.name).sample(list(mutations(root)), MUTATIONS)
        wrong = [each for each in (beside_the_schema(root, known, one) for one in chosen) if each]
        assert [each for each in wrong if not KNOWN.match(each)] == [], path.name
