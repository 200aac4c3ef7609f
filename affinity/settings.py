"""Settings: a TOML file, ``AFFINITY__SECTION__KEY`` environment variables above it, command-line options above both."""

from datetime import date
from enum import StrEnum
from pathlib import Path
from tomllib import TOMLDecodeError
from typing import Annotated, Any, ClassVar, Literal, Self
from urllib.parse import urlsplit

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ImportString, model_validator
from pydantic_settings import (
    BaseSettings,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
    SettingsError,
    TomlConfigSettingsSource,
)

from ihe.partners import Validation
from pix.found import USUAL
from pix.matching.mode import Mode
from xua.authentication import XUAMode
from xua.revocation import Stale


class Section(BaseModel):
    """A table of the settings file; a key that it does not have is refused, because a mistyped one would be ignored."""

    model_config = ConfigDict(extra="forbid")


def _unless_off(value: object) -> object:
    """TOML and environment variables have no word for None."""
    return None if value == "off" else value


def _in_small_letters(value: object) -> object:
    return value.lower() if isinstance(value, str) else value


LOOPBACK = frozenset({"127.0.0.1", "::1", "localhost"})
Port = Annotated[int | None, Field(ge=0, le=65535), BeforeValidator(_unless_off)]
Seconds = Annotated[float, Field(gt=0)]
Some = Annotated[int, Field(ge=1)]
"""A bound that leaves something: nobody would be served with none."""


class Listen(Section):
    """Where the server listens; port 0 takes any free one, ``off`` closes the listener."""

    host: str = "127.0.0.1"
    http_port: Port = 8080
    https_port: Port = 8443
    mllp_port: Port = 2575
    mllps_port: Port = 2576
    syslogs_port: Port = None
    syslog_udp_port: Port = None
    """Where audit records of others are received: nowhere by default (ITI TF-2: 3.20.4.1.2.1)."""
    public_url: Annotated[str | None, Field(pattern=r"^https?://[^/]")] = None
    plain: bool | None = None
    """Open the ports without TLS? None: only on a loopback address, if the domain allows it."""


class Certificates(Section):
    """PEM files of this node and of the authorities whose clients it admits (ITI TF-2: 3.19)."""

    certificate: Path | None = None
    key: Path | None = None
    client_authorities: Path | None = None
    revocation_lists: tuple[Path, ...] = ()


DEFAULT_PROFILE = "ihe-xua"
"""The token profile of issuers of which no other is said."""


class Issuer(Section):
    """An issuer of assertions: its own certificates, or the authorities that issue them and what a signer shows then.

    ``crls`` are revocation lists of the authorities; ``sha1_until`` is the last day on which it may use SHA-1.
    """

    certificates: Path | None = None
    authorities: Path | None = None
    extended_key_usages: tuple[str, ...] = ()
    subject: tuple[str, ...] = ()
    crls: tuple[Path, ...] = ()
    stale_crl: Stale = Stale.REFUSE
    profile: str = DEFAULT_PROFILE
    clock_skew_seconds: Annotated[int | None, Field(ge=0, le=3600)] = None
    sha1_until: date | None = None


class XUA(Section):
    """Practitioner identity: mode, audiences of this node, and the issuers trusted (ITI TF-2: 3.40)."""

    mode: XUAMode | None = None
    audience: tuple[str, ...] = ()
    trust: dict[str, Path] = Field(default_factory=dict)
    issuers: dict[str, Issuer] = Field(default_factory=dict)
    clock_skew_seconds: Annotated[int, Field(ge=0, le=3600)] = 60


class Limits(Section):
    """Bounds that keep one peer from starving the others. Sizes in bytes, times in seconds."""

    envelope: Some = 16 * 2**20
    document: Some = 4 * 2**30
    hl7_message: Some = 16 * 2**20
    connections: Some = 500
    connections_per_peer: Some = 200
    idle_seconds: Some = 300
    threads: Annotated[int, Field(ge=1, le=1024)] = 64
    one_processor: bool = True
    drain_seconds: Annotated[int, Field(ge=0)] = 30


class DocumentStoreKind(StrEnum):
    """Where documents are kept."""

    FILES = "files"
    S3 = "s3"


class Documents(Section):
    """The document store: files of the data directory, or a bucket of an S3-compatible store.

    ``credentials`` is a file in the form of the AWS tools; None: the environment. ``authorities`` (PEM) are trusted
    beside those of the system. ``request_seconds`` bounds one request, ``retry_seconds`` how long it is repeated.
    """

    store: DocumentStoreKind = DocumentStoreKind.FILES
    bucket: str | None = None
    prefix: str = ""
    endpoint: str | None = None
    region: str = "us-east-1"
    credentials: Path | None = None
    authorities: Path | None = None
    request_seconds: Annotated[float, Field(gt=0, le=300)] = 20
    retry_seconds: Annotated[float, Field(ge=0, le=120)] = 10
    orphan_hours: Annotated[float, Field(ge=1)] = 24
    """How long bytes that no row refers to are left alone: longer than any request or backup takes."""
    scrub_rate: Annotated[float | None, Field(gt=0), BeforeValidator(_unless_off)] = None
    """Documents a second that a server reads again and again in the background; None: none."""

    @model_validator(mode="after")
    def _is_reachable(self) -> Self:
        if self.store is DocumentStoreKind.S3 and not self.bucket:
            raise ValueError('store = "s3" needs a bucket')
        where = urlsplit(self.endpoint or "https://")
        if where.scheme != "https" and not (where.scheme == "http" and where.hostname in LOOPBACK):
            raise ValueError("the endpoint is https://..., or http:// of this machine alone: documents go there")
        if where.username or where.password:
            raise ValueError("credentials do not stand in the endpoint: use a credentials file or the environment")
        return self


class OnDemand(Section):
    """Who makes the documents of on-demand entries: ``package.module:attribute``, a ``xds.on_demand.ContentProvider``.

    With ``keep_snapshots`` what was delivered is stored and registered (ITI TF-2: 3.43.4.2.3).
    """

    provider: ImportString[Any] | None = None
    keep_snapshots: bool = False


class Matching(Section):
    """Whether records are linked by likeness; with which weights says ``matching.toml`` of the domain."""

    mode: Mode = Mode.ON


class Searching(Section):
    """How long the database may look for the answer to one demographics query, and how many records it may find."""

    seconds: Annotated[float, Field(gt=0)] = USUAL.seconds
    listed: Annotated[int, Field(ge=20, le=10_000)] = USUAL.listed


class PostgreSQL(Section):
    """How a node uses PostgreSQL; on SQLite nothing of it counts. ``off``: no limit, and nothing is prepared."""

    connections: Annotated[int, Field(ge=2)] = 32
    wait_seconds: Seconds = 5
    """How long a request waits for a free connection."""
    connect_seconds: Annotated[int, Field(ge=2)] = 5
    statement_seconds: Annotated[float | None, Field(gt=0), BeforeValidator(_unless_off)] = 30
    patience_seconds: Seconds = 10
    """How long requests wait for a database that is away, from the moment on when the first of them noticed."""
    prepare_threshold: Annotated[int | None, Field(ge=0), BeforeValidator(_unless_off)] = 5
    """How often a connection runs a statement before it is prepared."""
    replicas: tuple[str, ...] = ()
    """URLs of hot standbys that may answer queries."""
    replica_lag_seconds: Seconds = 10


class Receipts(Section):
    """How long the answers to feed messages are kept, so that a message sent again is not applied twice."""

    keep_days: Annotated[int, Field(ge=1)] = 30


class Audit(Section):
    """How this node names itself in audit records, and how often it seals them (ITI TF-2: 3.20)."""

    source_id: str | None = None
    """AuditSourceID; None: ``affinity@`` and the name of the host."""
    seal_seconds: Annotated[float, Field(gt=0)] = 10
    keep_days: Annotated[int | None, Field(ge=1), BeforeValidator(_unless_off)] = None
    """Days after which records are removed, those of other nodes as well; None: never."""


class AuditForwarding(Section):
    """How the audit trail is brought to the repositories of ``repositories.toml`` (ITI TF-2: 3.20).

    Syslog has no acknowledgement: over TLS a collector is made to confirm every ``confirm_seconds``, and what it read
    within ``replay_seconds`` before it was lost is sent again. An alarm by age or number of what waits.
    """

    replay_seconds: Annotated[float, Field(ge=1, le=3600)] = 30
    confirm_seconds: Annotated[float, Field(ge=1, le=600)] = 10
    alarm_seconds: Annotated[float, Field(ge=1)] = 300
    alarm_records: Annotated[int, Field(ge=1)] = 10_000


class Tracing(Section):
    """Where traces are sent: the address of a collector that speaks OTLP/HTTP. Needs the extra ``otel``.

    ``sample_ratio`` is the part of exchanges that are traced where their sender did not decide.
    """

    endpoint: Annotated[str | None, Field(pattern=r"^https?://")] = None
    sample_ratio: Annotated[float, Field(ge=0, le=1)] = 1.0


class Log(Section):
    """How events are written: ``console`` for people, ``json`` for machines."""

    format: Literal["console", "json"] = "console"
    level: Annotated[Literal["debug", "info", "warning", "error"], BeforeValidator(_in_small_letters)] = "info"
    slow_query_seconds: Annotated[float | None, Field(gt=0), BeforeValidator(_unless_off)] = None
    """From how many seconds on a statement is logged, without its parameters; None: none is."""


StewardKey = Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9._-]{0,63}$")]
TokenDigest = Annotated[str, Field(pattern=r"^sha256:[0-9a-f]{64}$")]


class Settings(BaseSettings):
    """Everything an operator may set."""

    model_config = SettingsConfigDict(env_prefix="AFFINITY__", env_nested_delimiter="__", extra="forbid")
    toml: ClassVar[Path | None] = None

    domain: str = "demo"
    data: Path = Field(default_factory=lambda given: Path("var") / Path(given["domain"]).name)
    database_url: str | None = None
    master_key: Path | None = None
    encrypt_documents: bool = True
    workers: Annotated[int | None, Field(ge=1, le=64)] = None
    """How many processes serve under a parent that supervises them; None: one, by itself."""
    validation: Validation = Validation.STRICT
    listen: Listen = Field(default_factory=Listen)
    certificates: Certificates = Field(default_factory=Certificates)
    xua: XUA = Field(default_factory=XUA)
    limits: Limits = Field(default_factory=Limits)
    documents: Documents = Field(default_factory=Documents)
    on_demand: OnDemand = Field(default_factory=OnDemand)
    matching: Matching = Field(default_factory=Matching)
    searching: Searching = Field(default_factory=Searching)
    postgresql: PostgreSQL = Field(default_factory=PostgreSQL)
    receipts: Receipts = Field(default_factory=Receipts)
    audit: Audit = Field(default_factory=Audit)
    audit_forwarding: AuditForwarding = Field(default_factory=AuditForwarding)
    log: Log = Field(default_factory=Log)
    tracing: Tracing = Field(default_factory=Tracing)
    stewards: dict[StewardKey, TokenDigest] = Field(default_factory=dict)
    """Who may look after identities: a name, and the digest of a token. Nobody: the interface is closed."""
    audit_consumers: dict[StewardKey, TokenDigest] = Field(default_factory=dict)
    """Who may search the audit trail over FHIR [ITI-81], likewise."""

    @property
    def database(self) -> str:
        """The database's URL: SQLite in the data directory unless one is configured."""
        return self.database_url or f"sqlite:///{self.data / 'affinity.db'}"

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Command line, then environment, then file."""
        return init_settings, env_settings, TomlConfigSettingsSource(settings_cls, cls.toml)


class UnreadableSettings(ValueError):
    """A file that is not TOML, or a variable that is not JSON; the text says which, and where in it."""


def load(config: Path | None, overrides: dict[str, Any]) -> Settings:
    """Read the settings. Raises pydantic.ValidationError naming every wrong key, UnreadableSettings."""

    class Configured(Settings):
        toml: ClassVar[Path | None] = config

    try:
        return Configured(**overrides)
    except (TOMLDecodeError, UnicodeDecodeError) as error:
        raise UnreadableSettings(f"{config} is not TOML in UTF-8: {error}") from error
    except SettingsError as error:
        raise UnreadableSettings(f"{error}: lists and tables are JSON in an environment variable") from error
