"""Hostile SOAP on a real node: every request gets a fault that can be read, nothing is left, others are served.

What the wire alone decides is tested in ``tests/soap``; here the whole node must hold, with its store and its database.
"""

import os
import re
from concurrent.futures import ThreadPoolExecutor

import pytest

from tests.hostile.conftest import SECRET, Attacked, Message

SOAP = "application/soap+xml; charset=UTF-8"
MTOM = 'multipart/related; boundary=B; type="application/xop+xml"; start="<root>"'
QUERY = (
    '<q:AdhocQueryRequest xmlns:q="urn:oasis:names:tc:ebxml-regrep:xsd:query:3.0"'
    ' xmlns:r="urn:oasis:names:tc:ebxml-regrep:xsd:rim:3.0"><q:ResponseOption returnType="LeafClass"/>'
    f'<r:AdhocQuery id="urn:uuid:14d4debf-8f97-4251-9a74-a90016b0af0d"><r:Slot name="{SECRET}"/></r:AdhocQuery>'
    "</q:AdhocQueryRequest>"
)
SUBMISSION = (
    '<x:ProvideAndRegisterDocumentSetRequest xmlns:x="urn:ihe:iti:xds-b:2007"><x:Document id="d">'
    '<i:Include xmlns:i="http://www.w3.org/2004/08/xop/include" href="cid:d"/></x:Document>'
    "</x:ProvideAndRegisterDocumentSetRequest>"
)


def envelope(body: str = QUERY, action: str = "RegistryStoredQuery", before: str = "", header: str = "") -> bytes:
    return (
        f'{before}<s:Envelope xmlns:s="http://www.w3.org/2003/05/soap-envelope"'
        ' xmlns:a="http://www.w3.org/2005/08/addressing">'
        f'<s:Header><a:Action s:mustUnderstand="1">urn:ihe:iti:2007:{action}</a:Action>'
        f"<a:MessageID>urn:uuid:1</a:MessageID>{header}</s:Header><s:Body>{body}</s:Body></s:Envelope>"
    ).encode()


def post(path: str, content_type: str, body: bytes) -> bytes:
    head = f"POST {path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Type: {content_type}\r\n"
    return f"{head}Content-Length: {len(body)}\r\n\r\n".encode() + body


def query(body: bytes) -> bytes:
    return post("/xds/registry", SOAP, body)


def package(*parts: tuple[str, bytes]) -> bytes:
    """A submission with its parts, each after its Content-ID."""
    root = 'Content-Type: application/xop+xml; type="application/soap+xml"\r\nContent-ID: <root>'
    pieces = [(root, envelope(SUBMISSION, "ProvideAndRegisterDocumentSet-b"))]
    pieces += [(f"Content-Type: text/plain\r\nContent-ID: <{name}>", content) for name, content in parts]
    return b"".join(f"--B\r\n{head}\r\n\r\n".encode() + content + b"\r\n" for head, content in pieces) + b"--B--\r\n"


def submit(*parts: tuple[str, bytes]) -> bytes:
    return post("/xds/repository", MTOM, package(*parts))


def status(answer: bytes) -> int:
    found = re.match(rb"HTTP/1\.1 (\d+)", answer)
    assert found, answer[:200]
    return int(found[1])


BOMB = "<!DOCTYPE x [<!ENTITY a 'aaaaaaaaaa'>" + "".join(
    f"<!ENTITY {chr(98 + n)} '{('&' + chr(97 + n) + ';') * 20}'>" for n in range(12)
)


@pytest.mark.parametrize(
    "body",
    [
        envelope(before="<!DOCTYPE x []>"),
        envelope(before=f"{BOMB}]>", header="<z>&m;</z>"),
        envelope(before='<!DOCTYPE x [<!ENTITY a SYSTEM "file:///etc/passwd">]>', header="<z>&a;</z>"),
        envelope(before='<!DOCTYPE x [<!ENTITY % a SYSTEM "http://127.0.0.1:9/x"> %a;]>'),
        envelope("<a>" * 200_000 + "</a>" * 200_000),
        envelope("<a " + " ".join(f'a{n}=""' for n in range(200_000)) + "/>"),
        envelope("<a " + " ".join(f'xmlns:a{n}="u"' for n in range(200_000)) + "/>"),
        envelope("<a>" + "<b/>" * 2_000_000 + "</a>"),
        envelope(header="<z>" + "\u00e9" * 6_000_000 + "</z>"),
        envelope(header="<z>\0</z>"),
        envelope(header="<z>\udcff</z>".encode("utf-8", "surrogateescape").decode("latin-1"))
        .decode()
        .encode("latin-1"),
        envelope().decode().encode("utf-16"),
        envelope()[:-1],
        envelope() * 2,
        b"\x1f\x8b\x08\x00gzip",
    ],
    ids=[
        *(
            "DTD",
            "bomb",
            "external entity",
            "parameter entity",
            "deep",
            "attributes",
            "namespaces",
            "tags",
            "long text",
        ),
        *("NUL", "no UTF-8", "UTF-16 called UTF-8", "cut", "doubled", "gzip"),
    ],
)
def test_a_poisonous_envelope_is_a_fault_of_its_sender(attacked: Attacked, body: bytes) -> None:
    answer = attacked.ask(query(body))
    assert (status(answer), b"soap:Sender" in answer) == (400, True)
    assert b"root:" not in answer
    assert status(attacked.ask(query(envelope()))) == 200


@pytest.mark.parametrize(
    ("parts", "expected"),
    [
        ([("d", b"x"), ("d", b"y")], 400),
        ([("root", b"x")], 400),
        ([("other", b"x")], 200),
        ([(f"d{n}", b"") for n in range(10_000)], 413),
        ([("d>\r\nX: " + "y" * 20_000 + "<", b"x")], 400),
    ],
    ids=["same id", "id of the root", "id not found", "10,000 parts", "long header"],
)
def test_a_poisonous_package_leaves_nothing(attacked: Attacked, parts: list[tuple[str, bytes]], expected: int) -> None:
    assert status(attacked.ask(submit(*parts))) == expected
    attacked.clear_up()


def test_clients_that_leave_while_sending_leave_nothing(attacked: Attacked) -> None:
    request = submit(("d", os.urandom(3_000_000)))
    for _ in range(20):
        with attacked.connect("http") as opened:
            opened.sendall(request[:2_000_000])
    attacked.clear_up()


def test_fifty_large_uploads_at_once_take_constant_memory(attacked: Attacked) -> None:
    """Each is refused for its metadata once it is complete; 500 MB pass through in less than 150 MB."""
    request = submit(("d", os.urandom(10_000_000)))
    before = attacked.memory
    with ThreadPoolExecutor(50) as pool:
        answers = list(pool.map(lambda _: attacked.ask(request), range(50)))
    assert {status(answer) for answer in answers} == {200}
    assert attacked.memory < before + 150
    attacked.clear_up()


def test_two_hundred_clients_of_all_kinds_are_all_answered(attacked: Attacked, admission: Message) -> None:
    """Queries, submissions, poison and feeds wait for one database; nobody waits for ever, and health answers."""
    kinds = [query(envelope()), submit(("d", b"x" * 100_000)), query(envelope("<a>" * 200))]

    def client(number: int) -> bool:
        if number % 4 == 3:
            feed = b"".join(admission(10_000 + number * 10 + n) for n in range(10))
            return attacked.exchange("mllp", feed, answers=10).count(b"MSA|AA|") == 10
        return status(attacked.ask(kinds[number % 4])) in (200, 400)

    with ThreadPoolExecutor(200) as pool:
        answered = [pool.submit(client, number) for number in range(200)]
        assert attacked.health() == b"ready\n"
        assert all(each.result(100) for each in answered)
