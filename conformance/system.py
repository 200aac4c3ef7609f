"""The system under test as its owner declares it (``sut.toml``): which actors it plays, where, with which options."""

import ssl
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Self

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, StringConstraints, ValidationError, model_validator

from affinity.client.codebook import CodeBook
from affinity.client.patients import parse_authority, parse_identifier
from ihe.datatypes import CX, HD, Code
from ihe.transactions import Actor
from mllp.client import Address
from soap.client import client_tls
from tls.files import TLS
from xua.people import DemoRole

Text = Annotated[str, StringConstraints(min_length=1, strip_whitespace=True)]
CODED = (
    "classCode",
    "typeCode",
    "formatCode",
    "confidentialityCode",
    "healthcareFacilityTypeCode",
    "practiceSettingCode",
    "contentTypeCode",
)
"""Attributes for which the harness needs a code that the system takes (ITI TF-3: 4.2.3.2, 4.2.3.3)."""
ATTRIBUTES = (*CODED, "eventCodeList", "codeList", "languageCode", "mimeType")


class DeclarationFault(ValueError):
    """The declaration cannot be used; the text says what is wrong, and where."""


class Table(BaseModel):
    """A table of the file: nothing unknown stands in it."""

    model_config = ConfigDict(extra="forbid", frozen=True, arbitrary_types_allowed=True)


class DeclaredActor(Table):
    """One actor of the system: where it answers, and the options of the standard that it claims."""

    url: Text | None = None
    """Of its web services."""
    mllp: Annotated[Text, StringConstraints(pattern=r"^[^:]+:\d+$|^\[.+\]:\d+$")] | None = None
    """``host:port`` of its HL7 v2 receiver."""
    options: frozenset[Text] = frozenset()
    unique_id: Text | None = None
    """Of a Document Repository: its repositoryUniqueId (ITI TF-3: 4.2.3.2.18)."""


class Trust(Table):
    """Files in PEM: whom to believe, and what the harness shows of itself."""

    authorities: Path
    certificate: Path
    key: Path

    @property
    def tls(self) -> TLS:
        """As HL7 v2 connections want it."""
        return TLS(certificate=self.certificate, key=self.key, authorities=self.authorities)

    @property
    def context(self) -> ssl.SSLContext:
        """As web services want it. Raises OSError or ssl.SSLError for files that are of no use."""
        return client_tls(self.authorities, self.certificate, self.key)


class Tokens(Table):
    """Where assertions come from, for systems that ask for one (ITI TF-2: 3.40)."""

    sts: Text
    audience: Text
    role: DemoRole = DemoRole.TREATING_DOCTOR
    defects: bool = False
    """The STS makes wrong assertions on demand, as the development STS of Affinity does."""


class Feed(Table):
    """Who the harness says it is on HL7 v2, and whom it calls there (MSH-3 to MSH-6)."""

    application: Text = "AFFINITY-CONFORM"
    facility: Text = "AFFINITY-CONFORM"
    receiving_application: Text = "SUT"
    receiving_facility: Text = "SUT"


class Devices(Table):
    """The same on HL7 v3: OIDs of devices."""

    sender: Text
    receiver: Text


class Patients(Table):
    """Where the harness finds patients that the system knows: it announces them itself, or takes known ones."""

    domain: Annotated[HD, BeforeValidator(parse_authority)]
    """The assigning authority in which it invents ids, as ``NAMESPACE&OID&ISO``."""
    second_domain: Annotated[HD | None, BeforeValidator(parse_authority)] = None
    """Another one, for cross-references."""
    affinity_domain: Annotated[HD | None, BeforeValidator(parse_authority)] = None
    """That of the patient ids of documents, where it is not ``domain``."""
    known: tuple[Annotated[CX, BeforeValidator(parse_identifier)], ...] = ()
    """Ids that the registry knows, where nobody may feed it; each serves one test."""


class System(Table):
    """The whole declaration. ``actors`` by the name that the standard gives them."""

    name: Text
    actors: Annotated[Mapping[Actor, DeclaredActor], Field(min_length=1)]
    patients: Patients
    hl7v2: Feed = Feed()
    hl7v3: Devices | None = None
    trust: Trust | None = None
    tokens: Tokens | None = None
    codes: Mapping[str, Annotated[tuple[Text, ...], Field(min_length=1)]] = {}
    """By attribute: codes that the system takes, ``CODE^^SCHEME^DISPLAY``; a second one tells queries by code apart."""
    source_id: Text = "2.25.208937453209745398216405318740225186342"
    """The OID with which the harness submits (ITI TF-3: 4.2.3.3.9)."""

    @model_validator(mode="after")
    def _codes_are_of_attributes(self) -> Self:
        for name in self.codes:
            if name not in ATTRIBUTES:
                raise ValueError(f"codes.{name}: there are {', '.join(ATTRIBUTES)}")
        return self

    def claims(self, actor: Actor, option: str | None = None) -> bool:
        """Claim that the system plays this actor, and has this option of it."""
        declared = self.actors.get(actor)
        return declared is not None and (option is None or option in declared.options)

    def code(self, attribute: str) -> Code:
        """A code that the system takes. DeclarationFault if none is declared."""
        if attribute not in self.codes:
            raise DeclarationFault(f"codes.{attribute} is missing: a code that the system takes, CODE^^SCHEME^DISPLAY")
        return self.all_codes(attribute)[0]

    def all_codes(self, attribute: str) -> tuple[Code, ...]:
        """Every code that is declared for an attribute; none if there is none."""
        return tuple(CodeBook({}).read(attribute, each) for each in self.codes.get(attribute, ()))

    @property
    def code_lists(self) -> Mapping[str, frozenset[Code]]:
        """Every code that is declared, by attribute."""
        coded = self.codes.keys() - {"languageCode", "mimeType"}
        return {name: frozenset(self.all_codes(name)) for name in coded}

    def mllp_address(self, actor: Actor) -> Address:
        """Where this actor takes HL7 v2 messages. DeclarationFault if it says nothing of it."""
        declared = self.actors.get(actor)
        if declared is None or declared.mllp is None:
            raise DeclarationFault(f'actors."{actor}".mllp is missing: the host:port where it takes HL7 v2 messages')
        host, _, port = declared.mllp.rpartition(":")
        return Address(host=host.strip("[]"), port=int(port), tls=self.trust.tls if self.trust else None)

    def url(self, actor: Actor) -> str:
        """Where this actor answers web services. DeclarationFault if it says nothing of it."""
        declared = self.actors.get(actor)
        if declared is None or declared.url is None:
            raise DeclarationFault(f'actors."{actor}".url is missing: where it answers SOAP')
        return declared.url


def declared(file: Path) -> System:
    """Read a declaration; paths in it are relative to the file. DeclarationFault says what is wrong with it."""
    try:
        return System.model_validate(_anchored(tomllib.loads(file.read_text("utf-8")), file.parent))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise DeclarationFault(f"{file} is not TOML: {error}") from error
    except ValidationError as error:
        wrong = "; ".join(f"{'.'.join(map(str, each['loc']))}: {each['msg']}" for each in error.errors())
        raise DeclarationFault(f"{file}: {wrong}") from error


def _anchored(table: dict[str, object], folder: Path) -> dict[str, object]:
    trust = table.get("trust")
    if isinstance(trust, dict):
        table["trust"] = {name: folder / str(value) for name, value in trust.items()}
    return table
