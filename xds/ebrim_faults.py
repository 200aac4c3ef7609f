"""What is wrong with one ebRIM object that is read by its attribute table (ITI TF-3: 4.2.3.1)."""

from ihe.citations import tf3
from ihe.errors import Breach, ErrorCode, Severity
from xds.attributes import Attribute, ExternalIdentifier, locate
from xds.ebrim_objects import Nesting, RIMClassification, RIMIdentifier
from xds.model import MetadataObject

OBJECT_TYPE = "urn:oasis:names:tc:ebxml-regrep:ObjectType:RegistryObject:"
CLASSIFICATION, EXTERNAL_IDENTIFIER = OBJECT_TYPE + "Classification", OBJECT_TYPE + "ExternalIdentifier"


class Faults:
    """Collects the breaches of one object, each at its place."""

    def __init__(self, kind: MetadataObject, id: str) -> None:
        self.kind = kind
        self.id = id
        self.breaches: list[Breach] = []

    def check_identifier(self, attribute: Attribute, coding: ExternalIdentifier, each: RIMIdentifier) -> None:
        """An ExternalIdentifier belongs to the object and bears its fixed name (4.2.3.1.3)."""
        if each.registry_object != self.id:
            self.refuse(
                attribute.name,
                "ExternalIdentifier/@registryObject is the id of the object around it",
                "4.2.3.1.3",
                each.registry_object,
            )
        if each.name != coding.name:
            self.refuse(
                attribute.name, "An ExternalIdentifier bears its fixed name", "4.2.3.1.3", each.name, coding.name
            )
        self._check_object_type(attribute.name, "ExternalIdentifier", each.object_type)

    def check_classification(self, attribute: Attribute, each: RIMClassification) -> None:
        """A Classification belongs to the object; one of a coded attribute is inside it (4.2.3.1.2)."""
        if each.classified_object != self.id:
            self.refuse(
                attribute.name,
                "Classification/@classifiedObject is the id of the object around it",
                "4.2.3.1.2",
                each.classified_object,
            )
        if each.nested is Nesting.BESIDE and each.node is None:
            self.refuse(attribute.name, "A coded attribute is inside its object, not beside it", "4.2.3.1.2")
        if each.object_type != CLASSIFICATION:
            self._check_object_type(attribute.name, "Classification", each.object_type)

    def _check_object_type(self, name: str, kind: str, observed: str | None) -> None:
        expected = OBJECT_TYPE + kind
        if observed not in (None, expected) and observed.lower() != expected.lower():
            self.refuse(name, f"{kind}/@objectType has a fixed value", "4.2.3.1", observed, expected)

    def unknown(self, what: str, observed: str | None) -> None:
        """Refuse a scheme or a node that the object's table does not have."""
        self.refuse(what, f"The {what} is one of those of its object", "4.2.5", observed)

    def several(self, attribute: Attribute, values: int) -> None:
        """Refuse more than one value."""
        self.refuse(attribute.name, "The attribute has a single value", attribute.section, f"{values} values")

    def refuse(
        self, attribute: str, text: str, section: str, observed: str | None = None, expected: str | None = None
    ) -> None:
        """The object cannot be taken as it is."""
        self.breaches.append(
            Breach(
                code=ErrorCode.REGISTRY_METADATA_ERROR,
                text=text,
                location=locate(self.kind, self.id, attribute),
                observed=observed,
                expected=expected,
                citation=tf3(section),
            )
        )

    def warn(self, attribute: str, text: str, section: str) -> None:
        """The object is taken, but for this."""
        self.breaches.append(
            Breach(
                code=ErrorCode.EXTRA_METADATA_NOT_SAVED,
                text=text,
                location=locate(self.kind, self.id, attribute),
                citation=tf3(section),
                severity=Severity.WARNING,
            )
        )
