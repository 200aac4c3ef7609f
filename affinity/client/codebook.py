"""Codes as people type them, looked up in the lists of an affinity domain."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from ihe.datatypes import Code

PREFERRED: Mapping[str, tuple[str, ...]] = {
    "classCode": ("REPORTS",),
    "typeCode": ("11502-2",),
    "formatCode": ("urn:ihe:iti:xds:2017:mimeTypeSufficient",),
    "confidentialityCode": ("N",),
    "healthcareFacilityTypeCode": ("261904005", "22232009"),
    "practiceSettingCode": ("394596001",),
    "contentTypeCode": ("15220000",),
    "languageCode": ("en", "en-US", "fr-LU"),
}
"""What is assumed where nothing is said, if the domain has it: a laboratory report, normally confidential."""


@dataclass(frozen=True, slots=True)
class CodeBook:
    """The codes of a domain by attribute; an attribute without a list takes any code."""

    codes: Mapping[str, frozenset[Code]]

    def read(self, attribute: str, text: str) -> Code:
        """Read ``CODE^^SCHEME^DISPLAY``, ``CODE^^SCHEME``, or the ``CODE`` of the domain. ValueError says what else."""
        code, _, rest = text.partition("^^")
        scheme, _, display = rest.partition("^")
        known = next(
            (each for each in self._listed(attribute) if each.code == code and scheme in ("", each.scheme)), None
        )
        if not scheme and known is None:
            raise ValueError(
                f"{attribute} {text!r} needs its coding scheme (CODE^^SCHEME^DISPLAY){self._choice(attribute)}"
            )
        if known is None:
            return Code(code, scheme, display or code)
        return Code(known.code, known.scheme, display or known.display)

    def assume(self, attribute: str) -> Code | None:
        """The code that this domain would most likely mean; None where it has no list."""
        listed = self._listed(attribute)
        preferred = (each for wanted in PREFERRED.get(attribute, ()) for each in listed if each.code == wanted)
        return next(preferred, listed[0] if listed else None)

    def _listed(self, attribute: str) -> list[Code]:
        return sorted(self.codes.get(attribute, ()), key=lambda each: (each.scheme, each.code))

    def _choice(self, attribute: str) -> str:
        listed: Iterable[str] = (each.code for each in self._listed(attribute))
        joined = ", ".join(listed)
        return f"; the domain has {joined}" if joined else ""
