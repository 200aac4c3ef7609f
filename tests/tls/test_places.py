"""How many connections a peer may hold: an address, a partner; and that nobody takes another's places."""

import socket
from contextlib import ExitStack, suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mllp.client import Address, Connection, NoAnswer, NotConnected, client_context
from mllp.framing import frame
from tests.mllp.test_endpoint import adt, verdict
from tests.tls.conftest import Open, Stock
from tls.places import Places, Seat

PARTNERS = {b"lab": Seat("lab", 2), b"ward": Seat("ward")}


def test_an_address_holds_so_many() -> None:
    places = Places(2)
    held = [places.arrive("10.0.0.1") for _ in range(3)]
    assert [each is not None for each in held] == [True, True, False]
    assert places.arrive("10.0.0.2") is not None


def test_a_place_that_is_left_is_free_again() -> None:
    places = Places(1)
    place = places.arrive("10.0.0.1")
    assert place is not None
    place.leave()
    place.leave()
    assert places.arrive("10.0.0.1") is not None
    assert places.arrive("10.0.0.1") is None


def test_a_partner_that_is_known_does_not_count_for_its_address() -> None:
    places = Places(1, PARTNERS.get)
    for _ in range(5):
        place = places.arrive("10.0.0.1")
        assert place is not None
        assert place.show(b"ward")
    assert places.held("ward") == 5


def test_a_partner_holds_as_many_as_were_agreed_wherever_it_comes_from() -> None:
    places = Places(None, PARTNERS.get)
    arrived = [places.arrive(f"10.0.0.{number}") for number in range(3)]
    assert [each is not None and each.show(b"lab") for each in arrived] == [True, True, False]


@given(st.lists(st.tuples(st.sampled_from("abc"), st.sampled_from([b"lab", b"ward", b"nobody", b""]), st.booleans())))
def test_what_is_held_is_never_more_than_allowed_and_nothing_is_lost(steps: list[tuple[str, bytes, bool]]) -> None:
    places = Places(3, PARTNERS.get)
    kept = []
    for address, certificate, stays in steps:
        place = places.arrive(address)
        if place is None:
            continue
        admitted = not certificate or place.show(certificate)
        if stays and admitted:
            kept.append(place)
        else:
            place.leave()
        assert places.held("lab") <= 2
        assert all(places.held(("address", each)) <= 3 for each in "abc")
    for place in kept:
        place.leave()
    assert places.held("lab") == places.held("ward") == places.held(("address", "a")) == 0


def test_half_open_connections_of_one_peer_leave_room_for_others(open_port: Open, stock: Stock) -> None:
    """Five hundred handshakes that never go on; a client elsewhere is served."""
    port = open_port(stock.tls("server"), Places(200))
    with ExitStack() as half_open:
        for _ in range(500):
            half_open.enter_context(socket.create_connection(("127.0.0.1", port.number), 20))
        elsewhere = socket.create_connection(("127.0.0.1", port.number), 20, source_address=("127.0.0.2", 0))
        half_open.enter_context(elsewhere)
        with client_context(stock.tls("client")).wrap_socket(elsewhere, server_hostname="localhost") as secured:
            secured.sendall(frame(adt("1")))
            assert secured.recv(1000).startswith(b"\x0bMSH")
        address = Address(host="127.0.0.1", port=port.number, tls=stock.tls("client"), server_name="localhost")
        with pytest.raises((NotConnected, NoAnswer)):
            Connection(address, 5).exchange(adt("2"))


def test_a_partner_above_its_cap_is_closed_after_the_handshake(open_port: Open, stock: Stock) -> None:
    places = Places(10, lambda certificate: Seat("lab", 1))
    port = open_port(stock.tls("server"), places)
    address = Address(host="127.0.0.1", port=port.number, tls=stock.tls("client"), server_name="localhost")
    with Connection(address, 20) as first:
        assert verdict(first.exchange(adt("1"))) == ("AA", "1")
        with pytest.raises((NotConnected, NoAnswer)):
            Connection(address, 20).exchange(adt("2"))
        assert verdict(first.exchange(adt("3"))) == ("AA", "3")
    with suppress(NoAnswer), Connection(address, 20) as second:
        second.exchange(adt("4"))
