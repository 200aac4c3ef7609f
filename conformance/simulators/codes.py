"""Codes of error answers by name, as a fault plan spells them."""

from ihe.errors import ErrorCode, HL7ErrorCode
from soap.faults import FaultCode, SOAPFault
from soap.names import WSA, WSSE

LETTERS = {"AE": HL7ErrorCode.REQUIRED_FIELD_MISSING, "AR": HL7ErrorCode.APPLICATION_INTERNAL_ERROR}
"""A code for those who ask for the letter alone (HL7 table 0008)."""
PREFIXES = {"wsse": WSSE, "wsa": WSA}
TOLD = "planned by the simulator: this answer is a test"


def error_code(name: str) -> ErrorCode | HL7ErrorCode:
    """The code of that name: of a RegistryError, of ERR-3, or the letters AE and AR. ValueError: there is none."""
    if name in LETTERS:
        return LETTERS[name]
    if name.isdecimal() and int(name) in set(HL7ErrorCode):
        return HL7ErrorCode(int(name))
    if name in {each.value for each in ErrorCode}:
        return ErrorCode(name)
    raise ValueError(f"{name!r} is neither a code of a RegistryError, nor one of HL7 table 0357, nor AE or AR")


def soap_fault(name: str) -> SOAPFault:
    """The fault of that code (Sender, Receiver) or subcode (wsse:..., wsa:...). ValueError: it is neither."""
    prefix, colon, local = name.partition(":")
    if not colon and name in set(FaultCode):
        return SOAPFault(FaultCode(name), TOLD)
    if prefix in PREFIXES and local:
        return SOAPFault(FaultCode.SENDER, TOLD, f"{{{PREFIXES[prefix]}}}{local}")
    raise ValueError(f"{name!r} is no code of SOAP 1.2, and no subcode that begins with wsse: or wsa:")
