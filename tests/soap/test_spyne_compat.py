"""What Spyne misses on later Pythons is put back."""

import pytest

from soap.spyne_compat import install, parse_header


@pytest.mark.parametrize(
    ("line", "name", "parameters"),
    [
        ("text/xml", "text/xml", {}),
        ('multipart/related; boundary="a b"; x=y', "multipart/related", {"boundary": "a b", "x": "y"}),
    ],
)
def test_parse_header_does_what_cgi_did(line: str, name: str, parameters: dict[str, str]) -> None:
    assert parse_header(line) == (name, parameters)


def test_installing_again_is_harmless() -> None:
    install()
