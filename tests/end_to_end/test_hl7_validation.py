"""What the domain agrees with a source about its HL7 v2 messages holds on the real port."""

import re
import shutil
from pathlib import Path

from hl7v2.er7 import parse
from mllp.client import Address, send
from tests.end_to_end.conftest import ROOT, Start

FEED = (
    "MSH|^~\\&|GLIMS|LAB-MOSELLE|AFFINITY|AFFINITY|20261123||ADT^A04^ADT_A01|{number}|P|2.3.1\r"
    "EVN||20261123\rPID|1||{number}^^^LAB-MOSELLE||Müller^Jo||19800101|F\r"
)


def strict_domain(directory: Path) -> Path:
    """The demo domain, where one laboratory's system is looked at strictly and writes Latin-1."""
    domain = shutil.copytree(ROOT / "domains" / "demo", directory / "domain")
    file = domain / "organizations.toml"
    text = file.read_text(encoding="utf-8")
    agreed, count = re.subn(r'\{ name = "GLIMS"', r'{ name = "GLIMS", validate = "strict", charset = "8859/1"', text)
    assert count
    file.write_text(agreed, encoding="utf-8")
    return domain


def test_a_strict_source_is_refused_with_every_breach_and_then_served(start: Start, tmp_path: Path) -> None:
    node = start("--domain", str(strict_domain(tmp_path)))
    address = Address(host="127.0.0.1", port=node.ports["mllp"])
    refused = parse(send(address, FEED.format(number=1).encode("latin-1")))
    assert refused["MSA"].text(1) == "AE"
    assert refused["ERR"].raw(2) == "PV1^1"
    accepted = parse(send(address, (FEED.format(number=2) + "PV1||O\r").encode("latin-1")))
    assert accepted["MSA"].text(1) == "AA"
    assert node.terminate() == 0
