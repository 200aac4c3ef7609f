"""The one error of this profile; the SOAP edge makes a Fault of it (ITI TF-2: 3.40.4.1.3; WSS 1.1, section 12)."""

from enum import Enum

from xua.names import WSSE, WST, WSU


class Subcode(Enum):
    """Why a security header was refused; the value is the fault subcode's QName in Clark notation.

    Which code belongs to which failure follows the WSS SAML Token Profile 1.1: an issuer that is not acceptable is
    InvalidSecurityToken, a bad signature FailedCheck, an extension not understood UnsupportedSecurityToken.
    """

    UNSUPPORTED_SECURITY_TOKEN = f"{{{WSSE}}}UnsupportedSecurityToken"
    UNSUPPORTED_ALGORITHM = f"{{{WSSE}}}UnsupportedAlgorithm"
    INVALID_SECURITY = f"{{{WSSE}}}InvalidSecurity"
    INVALID_SECURITY_TOKEN = f"{{{WSSE}}}InvalidSecurityToken"
    FAILED_AUTHENTICATION = f"{{{WSSE}}}FailedAuthentication"
    FAILED_CHECK = f"{{{WSSE}}}FailedCheck"
    SECURITY_TOKEN_UNAVAILABLE = f"{{{WSSE}}}SecurityTokenUnavailable"
    MESSAGE_EXPIRED = f"{{{WSU}}}MessageExpired"
    INVALID_REQUEST = f"{{{WST}}}InvalidRequest"
    REQUEST_FAILED = f"{{{WST}}}RequestFailed"


TEXTS = {
    Subcode.UNSUPPORTED_SECURITY_TOKEN: "An unsupported token was provided",
    Subcode.UNSUPPORTED_ALGORITHM: "An unsupported signature or encryption algorithm was used",
    Subcode.INVALID_SECURITY: "An error was discovered processing the wsse:Security header",
    Subcode.INVALID_SECURITY_TOKEN: "An invalid security token was provided",
    Subcode.FAILED_AUTHENTICATION: "The security token could not be authenticated or authorized",
    Subcode.FAILED_CHECK: "The signature or decryption was invalid",
    Subcode.SECURITY_TOKEN_UNAVAILABLE: "Referenced security token could not be retrieved",
    Subcode.MESSAGE_EXPIRED: "The message has expired",
    Subcode.INVALID_REQUEST: "The request was invalid or malformed",
    Subcode.REQUEST_FAILED: "The specified request failed",
}


class AssertionRefused(Exception):
    """A message whose user assertion does not prove who asks.

    ``text`` is what the sender may read: it tells no more than the subcode, so that nobody learns how to come closer.
    ``reason`` is the precise cause for the operator's log; it names no person and no patient.
    """

    def __init__(self, subcode: Subcode, reason: str) -> None:
        super().__init__(reason)
        self.subcode = subcode
        self.reason = reason

    @property
    def text(self) -> str:
        """The general sentence of the standard for this subcode."""
        return TEXTS[self.subcode]
