"""Every message of another system through the right door of a real node, with the verdict it must meet and why."""

import re
import shutil
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from affinity.client import hl7
from affinity.client.hl7 import Announced, Route
from affinity.domain import load
from hl7v2.er7 import parse, serialize
from ihe.datatypes import CX, HD, parse_patient_id
from mllp import client as mllp
from tests.end_to_end.conftest import ROOT, RunningNode, start_node
from tests.samples.door import V2_FOLDERS, XML_FOLDERS, send

VERDICTS = tomllib.loads((Path(__file__).parent / "verdicts.toml").read_text())
PATIENTS = (
    CX("SAMPLE-1", HD("", "1.3.6.1.4.1.21367.13.20.1000", "ISO")),
    CX("SAMPLE-2", HD("", "1.3.6.1.4.1.21367.13.20.1000", "ISO")),
)
AUTHORITY = """
[[authority]]
namespace_id = "S{number}"
oid = "{oid}"
issues_xds_ids = true
sources = ["*"]
"""
PATIENT_ID = re.compile(r"'?([^'\"<>\s^]+\^\^\^&amp;[0-9.]+&amp;ISO)")


@dataclass(frozen=True)
class Domain:
    """A node whose domain knows the patients that the samples speak of, and restricts no codes."""

    node: RunningNode
    repository: str


def sample_names() -> list[str]:
    return sorted(VERDICTS)


@pytest.fixture(scope="module")
def sampled(shared: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Domain]:
    directory = tmp_path_factory.mktemp("domain") / "samples"
    shutil.copytree(ROOT / "domains" / "connectathon", directory, ignore=shutil.ignore_patterns("codes"))
    known = {authority.oid for authority in load("connectathon").affinity_domain.assigning_authorities}
    patients = spoken_of(shared / "samples")
    with (directory / "authorities.toml").open("a") as file:
        for number, oid in enumerate(sorted({each.authority.universal_id for each in patients} - known)):
            file.write(
                f'\n[[authority]]\nnamespace_id = "S{number}"\noid = "{oid}"\nissues_xds_ids = true\nsources = ["*"]\n'
            )
    node = start_node(tmp_path_factory.mktemp("samples"), "--domain", str(directory), "--xua", "off")
    for patient in (*patients, *PATIENTS):
        announce(node, patient)
    yield Domain(node, load(directory).affinity_domain.repository_unique_id)
    node.kill()


def spoken_of(samples: Path) -> list[CX]:
    """The patients whose ids stand in the document sharing samples."""
    found = set()
    for path in samples.glob("ITI-[14568]*/*.xml"):
        for text in PATIENT_ID.findall(path.read_text("utf-8", "replace")):
            try:
                found.add(parse_patient_id(text.replace("&amp;", "&")))
            except ValueError:
                continue
    return sorted(found, key=str)


def announce(node: RunningNode, patient: CX) -> None:
    person = Announced(identifiers=(patient,), family="Muster", given=patient.id, birth_date="19700101", sex="F")
    address = mllp.Address(host="127.0.0.1", port=node.ports["mllp"])
    answer = parse(mllp.send(address, serialize(hl7.announce(Route(), person))))
    assert answer["MSA"].text(1) == "AA", patient


def test_every_sample_has_a_verdict(shared: Path) -> None:
    folders = (*V2_FOLDERS, *XML_FOLDERS)
    samples = {
        f"{path.parent.name}/{path.name}" for folder in folders for path in (shared / "samples" / folder).iterdir()
    }
    assert samples == set(VERDICTS)


@pytest.mark.parametrize("name", sample_names())
def test_a_sample_meets_its_verdict(sampled: Domain, shared: Path, name: str) -> None:
    verdict = VERDICTS[name]
    assert send(sampled.node, shared / "samples" / name, PATIENTS, sampled.repository) == verdict["answer"], verdict[
        "why"
    ]
