"""WSDL 1.1 of an endpoint (ITI TF-2: V.3.2.1)."""

from dataclasses import dataclass

from soap.service import SOAPService


@dataclass(frozen=True, slots=True)
class Documents:
    wsdl: bytes

    def find(self, query: str) -> bytes | None:
        """Find"""
        return None


def publish(service: SOAPService, location: str) -> Documents:
    return Documents(b"")
