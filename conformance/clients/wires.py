"""What every request of a wire keeps, and the assertions that say so (ITI TF-2: C.2, V.3, 3.20.4.1.2)."""

from atna.syslog import AUTHPRIV, IHE_MSGID, NotSyslog, decode
from conformance.clients.messages import segment
from conformance.clients.steps import Judged
from conformance.clients.world import World
from conformance.exchanges import Wire

MSH = {3: "033", 4: "034", 5: "035", 6: "036", 7: "037", 9: "038", 10: "039", 11: "040", 12: "041"}
"""The fields of MSH that are always valued, with the numbers of the assertions of TF2-C that say so."""
HEADER = ("TF2-C-020", "TF2-C-025", *(f"TF2-C-{number}" for number in MSH.values()))
"""What ``has_a_header`` shows, and the door through which the message came."""
SOAP = ("TF2-V-022", "TF2-V-024")
"""What ``has_its_action`` shows; TF2-V-007 of HL7 v3 and TF2-V-010 of Document Sharing, too."""
SYSLOG = ("ITI-20-026", "ITI-20-029", "ITI-20-032", "ITI-20-033")
"""What ``is_agreed_syslog`` shows."""


def has_a_header(each: Judged, _: World) -> str:
    """The fields of MSH are valued that IHE requires (Table C.2.2-1)."""
    header = segment(each, "MSH")
    missing = [f"MSH-{number}" for number in MSH if header is None or not header.raw(number)]
    return f"{', '.join(missing)} is empty" if missing else ""


def has_its_action(each: Judged, _: World) -> str:
    """The envelope is one of SOAP 1.2, and wsa:Action is as the transaction prints it."""
    read = each.seen.read
    if read.envelope is None:
        return "there is no envelope of SOAP 1.2 with a wsa:Action"
    printed = read.binding.action if read.binding is not None else ""
    return "" if read.action == printed else f"wsa:Action is {read.action!r} instead of {printed!r}"


def is_agreed_syslog(each: Judged, _: World) -> str:
    """Facility, MSGID and STRUCTURED-DATA are as 3.20.4.1.2 has them. FHIR has none of it."""
    if each.seen.exchange.wire is not Wire.SYSLOG:
        return ""
    try:
        message = decode(each.seen.read.payload.content).message
    except NotSyslog as error:
        return str(error)
    if message.facility != AUTHPRIV:
        return f"the facility in PRI is {message.facility} instead of {AUTHPRIV}"
    if message.msg_id != IHE_MSGID:
        return f"MSGID is {message.msg_id!r} instead of {IHE_MSGID!r}"
    return "STRUCTURED-DATA is not the nil value" if message.structured_data else ""
