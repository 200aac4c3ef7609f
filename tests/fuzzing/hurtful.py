"""What has hurt parsers before: as texts that XML and JSON can hold, and as bytes."""

HURTFUL_TEXTS = (
    "",
    " ",
    "\u00e9\u0416\U0001f9ea",
    "\u0301",
    "\ufeff",
    "\u202e",
    "\u0663",  # a digit, and not of ASCII
    *("-1", "0", "1e9", "NaN", "Infinity", "99999999999999999999", "9" * 5000, "true", "null"),
    *("20260230", "00000101", "99991231235960", "20260101120000.0000-2500", "2026-13-01T00:00:00Z"),
    *("9999-12-31T23:59:59-14:00", "0001-01-01T00:00:00+14:00", "2026-01-01T24:00:00", "2026-W01-1"),
    *("2.25.", "1..2", "2.25." + "9" * 400, "urn:oid:", "urn:uuid:x", "urn:uuid:" + "0" * 32),
    *("^^^&1.2&ISO", "a^^^&1.2&ISO^^^^^^^^", "^", "&", "~", "\\", "\\X41\\", "\\XZZ\\", "\\.br\\", "a^b&c~d|e"),
    *("''", "('", "')", "(')')", "('a','b')", "('a'", "'a''b'", "%", "_", "\\%", "('a')('b')", "(1,2)", "()"),
    *("x" * 300, "(" * 300, "../../etc/passwd", "http://[", "http://x:y/", "mailto:", "cid:%", "cid:%FF"),
)
HURTFUL = (
    *(each.encode() for each in HURTFUL_TEXTS),
    *(b"\0", b"\xff", b"\xc3", b"\xed\xa0\x80", b"\r\n", b"\x0b", b"\x1c\r"),
    *(b"&amp;", b"&#0;", b"&#x10FFFF;", b"<!---->", b"<?x?>", b"<![CDATA[]]>", b"<!DOCTYPE x>", b'xsi:nil="true"'),
    *(b"--B", b"--", b"{}", b"[]", b"\\ud800", b"\\u0000"),
)
