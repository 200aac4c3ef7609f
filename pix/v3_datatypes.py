"""HL7 v3 data types PN, AD, TEL and CE as the model spells them, both ways (ITI TF-2: R.1)."""

from collections.abc import Mapping, Sequence
from urllib.parse import quote, unquote

from lxml.etree import _Element

from ihe.identifiers import is_oid
from pix.model import Address, Coded, PersonName, Telecom
from pix.v3_elements import add, children, is_uid, words

NAME_USES = (("L", "L"), ("P", "S"), ("A", "A"), ("I", "T"), ("C", "I"))
"""EntityNameUse and the nearest name type code of HL7 table 0200. In each table the first pair of a code counts."""
ADDRESS_USES = (
    ("HP", "H"),
    ("H", "H"),
    ("HV", "V"),
    ("WP", "B"),
    ("WP", "O"),
    ("TMP", "C"),
    ("BAD", "BA"),
    ("PST", "M"),
)
"""PostalAddressUse and address type of HL7 table 0190."""
TELECOM_USES = (("HP", "PRN"), ("H", "PRN"), ("HV", "VHN"), ("WP", "WPN"), ("AS", "ASN"), ("EC", "EMR"), ("PG", "BPN"))
"""TelecommunicationAddressUse and HL7 table 0201."""
ADDRESS_PARTS = (
    ("city", "city"),
    ("county", "county"),
    ("state", "state"),
    ("postalCode", "postal_code"),
    ("country", "country"),
    ("streetName", "street_name"),
    ("houseNumber", "house_number"),
    ("additionalLocator", "other_designation"),
    ("precinct", "other_geographic"),
)
"""Address parts that both spell alike; ``streetAddressLine`` is ``street`` and, repeated, ``other_designation``."""


def to_v2(pairs: Sequence[tuple[str, str]], uses: str) -> str:
    """The v2 code of the first v3 use that has one."""
    table = dict(reversed([(v3, v2) for v3, v2 in pairs]))
    return next((table[use] for use in uses.split() if use in table), "")


def to_v3(pairs: Sequence[tuple[str, str]], code: str) -> str:
    """The v3 use of a v2 code, empty if it has none."""
    return next((v3 for v3, v2 in pairs if v2 == code), "")


def person_name(element: _Element) -> PersonName:
    """Read a PN. A name without parts is taken as a whole; a birth name (qualifier BR) is of type M, maiden name."""
    given = _parts(element, "given")
    family = [part for part in children(element, "family") if "BR" not in part.get("qualifier", "").split()]
    birth = [part for part in children(element, "family") if part not in family]
    suffixes = children(element, "suffix")
    degrees = [words(part) for part in suffixes if "AC" in part.get("qualifier", "").split()]
    return PersonName(
        family=" ".join(map(words, family or birth)) or ("" if len(element) else words(element)),
        given=next(iter(given), ""),
        further_given=" ".join(given[1:]),
        prefix=" ".join(_parts(element, "prefix")),
        suffix=" ".join(words(part) for part in suffixes if "AC" not in part.get("qualifier", "").split()),
        degree=" ".join(degrees),
        own_family=" ".join(map(words, birth)) if family else "",
        type_code="M" if birth and not family else to_v2(NAME_USES, element.get("use", "")),
    )


def add_person_name(parent: _Element, name: PersonName) -> None:
    """Append a PN."""
    element = add(parent, "name", use=to_v3(NAME_USES, name.type_code))
    if name.prefix:
        add(element, "prefix", name.prefix)
    for given in (name.given, *name.further_given.split()):
        if given:
            add(element, "given", given)
    if name.family:
        add(element, "family", name.family, qualifier="BR" if name.type_code in ("M", "B") else None)
    if name.own_family and name.own_family != name.family:
        add(element, "family", name.own_family, qualifier="BR")
    for suffix, qualifier in ((name.suffix, None), (name.degree, "AC")):
        if suffix:
            add(element, "suffix", suffix, qualifier=qualifier)
    if not len(element):
        element.set("nullFlavor", "UNK")


def address(element: _Element) -> Address:
    """Read an AD. Without address lines the street is house number and street name; free text is one line."""
    parts = {attribute: " ".join(_parts(element, tag)) for tag, attribute in ADDRESS_PARTS}
    lines = _parts(element, "streetAddressLine") or _parts(element, "deliveryAddressLine")
    street = next(iter(lines), "") or " ".join(filter(None, (parts["house_number"], parts["street_name"])))
    parts["other_designation"] = ", ".join(filter(None, (*lines[1:], parts["other_designation"])))
    free_text = "" if len(element) else words(element)
    return Address(street=street or free_text, type_code=to_v2(ADDRESS_USES, element.get("use", "")), **parts)


def add_address(parent: _Element, written: Address) -> None:
    """Append an AD."""
    element = add(parent, "addr", use=to_v3(ADDRESS_USES, written.type_code))
    if written.street:
        add(element, "streetAddressLine", written.street)
    for tag, attribute in ADDRESS_PARTS:
        if text := getattr(written, attribute):
            add(element, tag, text)
    if not len(element):
        element.set("nullFlavor", "UNK")


def telecom(element: _Element) -> Telecom:
    """Read a TEL: ``tel:``, ``fax:`` and ``mailto:`` URLs (RFC 3966, RFC 6068); anything else is kept as text."""
    value, uses = element.get("value", "").strip(), element.get("use", "")
    scheme, _, rest = value.partition(":")
    use = to_v2(TELECOM_USES, uses)
    if scheme.lower() == "mailto":
        return Telecom(email=unquote(rest), use=use or "NET", equipment="Internet")
    if scheme.lower() not in ("tel", "fax"):
        return Telecom(number=value, use=use, text=value)
    number, _, extension = unquote(rest).partition(";ext=")
    equipment = "FX" if scheme.lower() == "fax" else "CP" if "MC" in uses.split() else "PH"
    return Telecom(number=number, use=use, equipment=equipment, extension=extension.partition(";")[0])


def is_business(element: _Element) -> bool:
    """Claim that a TEL is for work (PID-14, not PID-13)."""
    return "WP" in element.get("use", "").split()


def add_telecom(parent: _Element, written: Telecom) -> None:
    """Append a TEL, unless there is nothing to dial or write to."""
    use = to_v3(TELECOM_USES, written.use)
    if written.email:
        add(parent, "telecom", value="mailto:" + quote(written.email, safe="@+"), use=use)
    elif number := _dialled(written):
        scheme = "fax:" if written.equipment == "FX" else "tel:"
        mobile = "MC" if written.equipment == "CP" else ""
        add(parent, "telecom", value=scheme + number, use=" ".join(filter(None, (use, mobile))))


def coded(element: _Element) -> Coded:
    """Read a CE."""
    text = element.get("displayName", "") or " ".join(_parts(element, "originalText"))
    scheme = element.get("codeSystem", "") or element.get("codeSystemName", "")
    return Coded(code=element.get("code", "").strip(), text=text, scheme=scheme)


def add_coded(parent: _Element, name: str, written: Coded, translation: Mapping[str, str] | None = None) -> None:
    """Append a CE. A scheme that is no OID is its name; a code that may not hold blanks becomes text alone."""
    code = (translation or {}).get(written.code, written.code)
    if not code or any(character.isspace() for character in code):
        element = add(parent, name, nullFlavor="OTH")
        add(element, "originalText", written.text or written.code or None)
        return
    system = {"codeSystem" if is_oid(written.scheme) and is_uid(written.scheme) else "codeSystemName": written.scheme}
    add(parent, name, code=code, displayName=written.text, **system)


def _parts(element: _Element, name: str) -> list[str]:
    return [text for text in map(words, children(element, name)) if text]


def _dialled(written: Telecom) -> str:
    split = (f"+{written.country_code}" if written.country_code else "", written.area_code, written.local_number)
    number = written.number or "-".join(filter(None, split)) or written.text
    dialled = quote("-".join(number.split()), safe="+-.()*#")
    return dialled + (f";ext={quote(written.extension)}" if written.extension else "")
