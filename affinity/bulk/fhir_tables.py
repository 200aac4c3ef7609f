"""How HL7 v2 codes and FHIR codes stand to each other (HL7 v2-to-FHIR: table 0200, 0001, 0190, 0201)."""

from collections.abc import Mapping

GENDERS: Mapping[str, str] = {"F": "female", "M": "male", "O": "other", "U": "unknown"}
"""Table 0001. A (ambiguous) and N (not applicable) are ``other`` too, and come back as O."""
OTHER_GENDERS: Mapping[str, str] = {**GENDERS, "A": "other", "N": "other"}
SEXES: Mapping[str, str] = {gender: sex for sex, gender in GENDERS.items()}

NAME_USES: Mapping[str, str] = {"L": "official", "D": "usual", "M": "maiden", "T": "temp"}
"""Of ``names``: table 0200, and HumanName.use. A name without type has no use."""
ALIAS_USES: Mapping[str, str] = {"N": "nickname", "A": "old", "S": "anonymous"}
"""Of ``aliases``; what has one of these uses is an alias."""

ADDRESS_USES: Mapping[str, str] = {"H": "home", "B": "work", "C": "temp", "BA": "old", "BI": "billing"}
"""Table 0190, and Address.use."""
MAILING = "M"
"""Table 0190: a postal address is no use in FHIR, it is Address.type."""

TELECOM_USES: Mapping[tuple[str, str], tuple[str, str]] = {
    ("PRN", "PH"): ("phone", "home"),
    ("PRN", "CP"): ("phone", "mobile"),
    ("PRN", ""): ("phone", "home"),
    ("", "CP"): ("phone", "mobile"),
    ("PRN", "FX"): ("fax", "home"),
    ("WPN", "PH"): ("phone", "work"),
    ("WPN", ""): ("phone", "work"),
    ("WPN", "FX"): ("fax", "work"),
}
"""Tables 0201 and 0202 to ContactPoint.system and use."""
TELECOMS: Mapping[tuple[str, str], tuple[str, str]] = {
    ("phone", "home"): ("PRN", "PH"),
    ("phone", "mobile"): ("PRN", "CP"),
    ("phone", "work"): ("WPN", "PH"),
    ("fax", "home"): ("PRN", "FX"),
    ("fax", "work"): ("WPN", "FX"),
}
"""And back."""

OID, SSN = "urn:oid:", "http://hl7.org/fhir/sid/us-ssn"
IDENTIFIER_TYPES = "http://terminology.hl7.org/CodeSystem/v2-0203"
MARITAL_STATUSES = "http://terminology.hl7.org/CodeSystem/v3-MaritalStatus"
ROLES = "http://terminology.hl7.org/CodeSystem/v3-RoleCode"
MOTHER = "MTH"
EXTENSIONS = "http://hl7.org/fhir/StructureDefinition/"
MOTHERS_MAIDEN_NAME = f"{EXTENSIONS}patient-mothersMaidenName"
BIRTH_PLACE = f"{EXTENSIONS}patient-birthPlace"
CITIZENSHIP = f"{EXTENSIONS}patient-citizenship"
NATIONALITY = f"{EXTENSIONS}patient-nationality"
RELIGION = f"{EXTENSIONS}patient-religion"
SOURCE = "urn:affinity:source:"
"""Before ``application|facility``, percent-encoded, in meta.source."""
