"""HL7 v2, packages and stored queries made piece by piece, with what their standards allow and few senders do."""

from base64 import b64encode
from quopri import encodestring

from hypothesis import strategies as st

from affinity.client import xds
from tests.fuzzing.hurtful import HURTFUL, HURTFUL_TEXTS
from xds.stored_query import StoredQuery

CHARSETS = (
    *("", "UNICODE UTF-8", "8859/1", "8859/15", "ASCII", "UNICODE", "UNICODE UTF-16", "UTF-8", "ISO IR87"),
    *("~UNICODE UTF-8", "8859/1~ISO IR87", "8859/99", "GB 18030-2000", "\xe9"),
)
CODECS = ("utf-8", "iso-8859-1", "utf-16-le", "utf-7", "shift_jis")
DELIMITERS = b"|^~\\&" + b"#$%@!*+;:/?=<>()[]{}.,-_'\"` 0aM\x00\x01\x0b\x1c\x80\xe9\xff"
PLAIN = b"|^~\\&"
ESCAPES = (
    *(b"\\F\\", b"\\S\\", b"\\T\\", b"\\R\\", b"\\E\\", b"\\.br\\", b"\\.sp99\\", b"\\H\\", b"\\N\\", b"\\X0D0A\\"),
    *(b"\\XC3\\", b"\\X\\", b"\\X0\\", b"\\C2842\\", b"\\M2842\\", b"\\Zx\\", b"\\", b"\\\\", b"\\F", b"\\f\\"),
    *(b'""', b'"', b"^^^", b"&&", b"~~", b"M\xc3\xbcller", b"M\xfcller", b"a\nb"),
)
ENDS = (b"\r", b"\n", b"\r\n", b"\r\r", b"\n\r")


@st.composite
def er7(draw: st.DrawFn, seeds: tuple[bytes, ...]) -> bytes:
    """A good message with other values in some fields, another character set, other delimiters, other line ends."""
    segments = [each.split(b"|") for each in draw(st.sampled_from(seeds)).split(b"\r") if each]
    for _ in range(draw(st.integers(0, 5))):
        segment = draw(st.sampled_from(segments))
        place = draw(st.integers(0, len(segment) + 2))
        segment += [b""] * (place + 1 - len(segment))
        segment[place] = draw(st.lists(st.sampled_from((*ESCAPES, *HURTFUL)), max_size=3).map(b"".join))
    if draw(st.booleans()):
        segments[0] += [b""] * (18 - len(segments[0]))
        segments[0][17] = draw(st.sampled_from(CHARSETS)).encode(draw(st.sampled_from(CODECS[:2])))
    message = draw(st.sampled_from(ENDS)).join(map(b"|".join, segments)) + draw(st.sampled_from((b"", *ENDS)))
    if draw(st.booleans()):
        message = message.replace(b"Weber", "W\xe9b\u0153r".encode(draw(st.sampled_from(CODECS)), "replace"))
    if draw(st.booleans()):
        message = message.translate(bytes.maketrans(PLAIN, bytes(draw(st.permutations(DELIMITERS))[:5])))
    return message


HEADS = (
    *(b"Content-Transfer-Encoding: %b" % each for each in (b"binary", b"8bit", b"7bit", b"x-other", b"", b"BASE64")),
    *(b"Content-Type: %b" % each for each in (b"text/plain", b"", b";", b'a/b; c="d', b"multipart/mixed; boundary=B")),
    *(b"Content-ID: %b" % each for each in (b"<d@x>", b"d@x", b"<>", b"", b"<d%40x>", b"<d@x> ", b"<\xc3\xa9>")),
    *(
        b"content-id:<d@x>",
        b"Content-ID : <d@x>",
        b"Content-ID:\r\n <d@x>",
        b": x",
        b"x",
        b"\tx: y",
        b"X: " + b"y" * 999,
    ),
)
PARAMETERS = (
    *(b'type="application/xop+xml"', b"type=application/xop+xml", b'TYPE="Application/XOP+XML"', b'type="text/xml"'),
    *(b'start="<root@x>"', b"start=<root@x>", b'start="root@x"', b'start="<d@x>"', b'start="<nobody>"', b'start=""'),
    *(b'start-info="application/soap+xml"', b'start-info="a\\"b"', b"charset=utf-8", b"charset=x", b";", b"a", b'b="c'),
)
BOUNDARIES = (b"B", b"MIME_B", b"a b", b"'()+_,-./:=?", b"-", b"", b"x" * 70, b"x" * 71, b"B ", b"\xc3\xa9", b"B\t")
STARTS = (b"", b"preamble\r\n", b"\r\n", b"--\r\n", b"--Bx\r\n")
BREAKS = (b"\r\n", b"\r\n", b"\r\n", b"\n")


@st.composite
def packages(draw: st.DrawFn, envelope: bytes) -> bytes:
    """A package after a line with its media type: an envelope and some parts, in an order by chance."""
    boundary, end = draw(st.sampled_from(BOUNDARIES)), draw(st.sampled_from(BREAKS))
    quoted = b'"%b"' % boundary if draw(st.booleans()) else boundary
    said = draw(
        st.permutations(
            [b"boundary=" + quoted, PARAMETERS[0], *draw(st.lists(st.sampled_from(PARAMETERS), max_size=2))]
        )
    )
    parts = [_part(draw, envelope, [b"Content-Type: application/xop+xml; charset=UTF-8", b"Content-ID: <root@x>"], end)]
    parts += [_part(draw, b"text " * 30, [], end) for _ in range(draw(st.integers(0, 3)))]
    between = end + b"--" + boundary + end if draw(st.integers(0, 9)) else b"--" + boundary
    body = b"--" + boundary + end + between.join(draw(st.permutations(parts)))
    closing = draw(
        st.sampled_from((end + b"--" + boundary + b"--" + end, end + b"--" + boundary + b"--epilogue", end, b""))
    )
    return b"Multipart/Related; %b\n" % b"; ".join(said) + draw(st.sampled_from(STARTS)) + body + closing


def _part(draw: st.DrawFn, content: bytes, heads: list[bytes], end: bytes) -> bytes:
    lines = [*heads, *draw(st.lists(st.sampled_from(HEADS), max_size=4))]
    match draw(st.integers(0, 4)):
        case 0:
            encoded = b64encode(content)
            cut = draw(st.integers(0, len(encoded)))
            content = (
                encoded[:cut] + draw(st.sampled_from((b"", end, b" ", b"=", b"==", b"*", b"\xff"))) + encoded[cut:]
            )
            lines.append(b"Content-Transfer-Encoding: base64")
        case 1:
            content = encodestring(content, quotetabs=True) + draw(
                st.sampled_from((b"", b"=", b"=4", b"=ZZ", b"= ", b"=\r\n"))
            )
            lines.append(b"Content-Transfer-Encoding: quoted-printable")
        case 2:
            content += draw(st.sampled_from((b"\r\n--", b"\r\n--B", b"\r", b"\r\n", b"--B--")))
    return end.join(lines) + end + end + content


@st.composite
def asked(draw: st.DrawFn, queries: tuple[tuple[StoredQuery, tuple[tuple[str, tuple[str, ...]], ...]], ...]) -> bytes:
    """A stored query whose parameters are spelled in odd ways, stand twice, or belong to another query."""
    query, good = draw(st.sampled_from(queries))
    slots = list(good)
    for _ in range(draw(st.integers(1, 5))):
        name = draw(
            st.sampled_from([*(each.name for each in query.parameters), "$Unknown", "", "$XDSDocumentEntryPatientId"])
        )
        values = tuple(draw(st.lists(_written(draw), min_size=0, max_size=3)))
        if draw(st.booleans()):
            slots = [each for each in slots if each[0] != name]
        slots.append((name, values))
    returned = draw(st.sampled_from(("LeafClass", "ObjectRef", "LeafClassWithRepositoryItem", "", "leafclass")))
    return xds.stored_query(query.id, draw(st.permutations(slots)), returned)


def _written(draw: st.DrawFn) -> st.SearchStrategy[str]:
    """A value as ITI TF-2: 3.18.4.1.2.3.5 spells it, more or less."""
    texts = st.sampled_from([each for each in HURTFUL_TEXTS if each.isprintable()]) | st.text(
        "a'%_^&,() \\\"1", max_size=6
    )
    one = texts | texts.map(lambda each: f"'{each}'") | texts.map(xds.quoted)
    spaces = st.sampled_from(("", " ", "\n"))
    several = st.lists(one, max_size=5).map(",".join) | st.lists(one, max_size=3).map(" , ".join)
    return one | several.map("({})".format) | st.builds("{}({}){}".format, spaces, several, spaces)
