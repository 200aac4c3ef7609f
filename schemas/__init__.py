"""Schemas that Affinity publishes with its WSDL: written for this project, names and order true to the standards.

They are narrower than the originals (only what the Document Sharing and patient identity transactions use) and list the
members of ``RegistryObjectList`` by name instead of by substitution group, which few SOAP toolkits understand.
"""

from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType

FILES: Mapping[str, str] = MappingProxyType(
    {
        "urn:oasis:names:tc:ebxml-regrep:xsd:rim:3.0": "rim.xsd",
        "urn:oasis:names:tc:ebxml-regrep:xsd:rs:3.0": "rs.xsd",
        "urn:oasis:names:tc:ebxml-regrep:xsd:query:3.0": "query.xsd",
        "urn:oasis:names:tc:ebxml-regrep:xsd:lcm:3.0": "lcm.xsd",
        "urn:ihe:iti:xds-b:2007": "xds-b.xsd",
        "urn:ihe:iti:rmd:2017": "rmd.xsd",
        "urn:hl7-org:v3": "hl7v3.xsd",
    }
)
"""The file of each namespace."""


def path(name: str) -> Path:
    """Locate one of the files; KeyError for any other name."""
    if name not in FILES.values():
        raise KeyError(name)
    return Path(__file__).with_name(name)
