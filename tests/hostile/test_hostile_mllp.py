"""Clumsy and hostile senders of HL7 v2 on a real node: every message is answered, or its connection ends at once."""

import re
import socket
from collections.abc import Callable
from contextlib import ExitStack

import pytest

from tests.hostile.conftest import Attacked, Message

AA = b"MSA|AA|"


def errors(answer: bytes) -> set[str]:
    return {code.decode() for code in re.findall(rb"\rERR\|[^|]*\|[^|]*\|(\d+)", answer)}


def test_a_thousand_messages_at_once_are_all_answered_in_order(attacked: Attacked, admission: Message) -> None:
    """Who sends everything and then closes its side still reads every answer."""
    answer = attacked.say("mllp", b"".join(admission(number) for number in range(1000)))
    assert re.findall(rb"MSA\|(..)\|A(\d+)\r", answer) == [(b"AA", b"%d" % number) for number in range(1000)]


@pytest.mark.parametrize(
    "change",
    [
        lambda message: message.replace(b"\r", b"\n").replace(b"\x1c\n", b"\x1c\r"),
        lambda message: message.replace(b"\r", b"\r\n").replace(b"\x1c\r\n", b"\x1c\r"),
        lambda message: message.replace(b"\r\x1c", b"\x1c"),
        lambda message: b"\0\0garbage\r\n" + message + b"\0",
        lambda message: b"\x0b" + message[:-2] + b"\x1c\r\x1c\r",
        lambda message: message[:40] + b"\x0b" + message[1:],
    ],
    ids=["LF", "CRLF", "no last CR", "garbage around", "doubled frame", "begun anew"],
)
def test_a_clumsy_frame_is_understood_and_so_is_the_next(
    attacked: Attacked, admission: Message, change: Callable[[bytes], bytes]
) -> None:
    answer = attacked.exchange("mllp", change(admission(2001)) + admission(2002), answers=2)
    assert answer.count(AA) == 2


@pytest.mark.parametrize(
    ("msh9", "more", "expected"),
    [
        ("ADT^A99", "", {"201"}),
        ("ORU^R01", "", {"200"}),
        ("", "", {"200"}),
        ("ADT^A28^ADT_A05", "|" * 1_000_001, {"207"}),
        ("ADT^A28^ADT_A05", "\0", {"102"}),
        ("ADT^A28^ADT_A05", "x" * 16 * 2**20, {"207"}),
    ],
    ids=["trigger", "type", "no type", "a million fields", "NUL", "oversize"],
)
def test_a_message_that_cannot_be_taken_is_rejected_and_the_next_is_not(
    attacked: Attacked, admission: Message, msh9: str, more: str, expected: set[str]
) -> None:
    answer = attacked.exchange("mllp", admission(2003, msh9=msh9, more=more) + admission(2004), answers=2)
    assert errors(answer) == expected
    assert answer.count(AA) == 1


@pytest.mark.parametrize(
    ("number", "accept", "application", "wanted"),
    [(2101, "AL", "NE", b"CA"), (2102, "NE", "AL", b"AA"), (2103, "AL", "AL", b"AA")],
)
def test_the_enhanced_mode_gives_the_acknowledgement_that_is_wanted(
    attacked: Attacked, admission: Message, number: int, accept: str, application: str, wanted: bytes
) -> None:
    answer = attacked.exchange("mllp", admission(number, after_msh12=f"|||{accept}|{application}"))
    assert b"MSA|%b|A%d\r" % (wanted, number) in answer


@pytest.mark.parametrize(
    ("port", "data"),
    [
        ("mllp", b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + b"x" * 400),
        ("mllp", b"GET / HTTP/1.1\r\n\r\n"),
        ("mllp", b"\x0bMSH\x1c\r"),
        ("mllp", b"\x0b\xff\xfeM\0S\0H\0|\0\x1c\r"),
        ("mllps", b"\x0bMSH|^~\\&|\r\x1c\r"),
    ],
    ids=["TLS on the plain port", "HTTP", "no MSH", "UTF-16", "plain on the TLS port"],
)
def test_what_is_no_hl7_ends_the_connection(attacked: Attacked, port: str, data: bytes) -> None:
    with attacked.connect(port) as opened:
        opened.sendall(data)
        try:
            assert AA not in opened.recv(1000)
            assert opened.recv(1000) == b""
        except ConnectionResetError:
            pass
    assert attacked.health() == b"ready\n"


def test_half_messages_do_not_keep_others_waiting(attacked: Attacked, admission: Message) -> None:
    with ExitStack() as waiting:
        for number in range(100):
            opened = waiting.enter_context(attacked.connect("mllp"))
            opened.sendall(admission(number)[:-1])
        assert AA in attacked.exchange("mllp", admission(2006))


def test_a_flood_of_connections_is_capped_and_passes(attacked: Attacked, admission: Message) -> None:
    with ExitStack() as flood:
        opened = [flood.enter_context(attacked.connect("mllp")) for _ in range(520)]
        assert sum(refused(each) for each in opened[500:]) >= 20
        opened[0].sendall(admission(2007))
        assert AA in opened[0].recv(1000)
    with attacked.connect("mllp") as later:
        while refused(later):
            later = attacked.connect("mllp")
        later.sendall(admission(2008))
        assert AA in later.recv(1000)


def refused(opened: socket.socket) -> bool:
    """Claim that the node closed a connection at once; one that was admitted says nothing."""
    opened.settimeout(0.5)
    try:
        return opened.recv(1) == b""
    except ConnectionResetError:
        return True
    except TimeoutError:
        opened.settimeout(30)
        return False


def test_clients_that_leave_in_the_middle_of_an_answer_harm_nobody(attacked: Attacked, admission: Message) -> None:
    for number in range(30):
        with attacked.connect("mllp") as opened:
            opened.sendall(b"".join(admission(3000 + number * 10 + n) for n in range(10)))
    assert AA in attacked.exchange("mllp", admission(2009))
