"""Foreign clients against a node of our own: ``make interop``. Skipped with a sentence where Java or Maven is missing.

- `interop/ipf` sends through the Open eHealth Integration Platform (IPF), which judges the answers: plain, then again
  over mutual TLS with the development certificates.
- `interop/zeep_client.py` knows nothing but our WSDL; `interop/mtom.py` speaks like toolkits that cannot run here.
"""

import json
import shutil
import subprocess
import sys
import tempfile
import time
import tomllib
import uuid
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    load_pem_private_key,
    pkcs12,
)
from cryptography.x509.oid import NameOID
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from interop import mtom, zeep_client
from interop.cases import Case
from interop.messages import announce

ROOT = Path(__file__).resolve().parent.parent
CLIENT = ROOT / "interop" / "ipf"
START_SECONDS = 60
TELL_SECONDS = 300
ISSUER = "urn:interop:issuer"
PASSWORD = b"changeit"
"""What every Java tutorial uses; it protects development keys that lie beside it unprotected."""


def main() -> int:
    """Build the client, start a node, tell all cases, print the table. 0 if all held or nothing can be run here."""
    missing = [tool for tool in ("mvn", "java") if shutil.which(tool) is None]
    if missing:
        print(f"interop: skipped; not on the PATH: {', '.join(missing)} (a JDK of 17 or later and Maven are needed)")
        return 0
    classpath = build()
    cases: list[Case] = []
    with tempfile.TemporaryDirectory(prefix="affinity-interop-") as name:
        scratch, keys = Path(name), Path(name) / "keys"
        write_issuer(keys)
        with node(scratch, keys / "issuer.crt.pem") as ports:
            write_tls(scratch / "data" / "pki", keys)
            cases += by_hand(ports)
            cases += tell(classpath, ports["http"], ports["mllp"], keys, "plain")
            cases += tell(classpath, ports["https"], ports["mllps"], keys, "TLS")
    show(cases)
    return 0 if all(each.held for each in cases) else 1


def build() -> str:
    """Compile the client with Maven; the class path to run it with."""
    file = CLIENT / "target" / "classpath"
    goals = ["compile", "dependency:build-classpath", f"-Dmdep.outputFile={file}"]
    subprocess.run(["mvn", "-q", "-B", *goals], cwd=CLIENT, check=True)
    return f"{CLIENT / 'target' / 'classes'}:{file.read_text().strip()}"


@contextmanager
def node(scratch: Path, issuer: Path) -> Iterator[dict[str, int]]:
    """A node of the connectathon domain on free ports, which trusts a foreign issuer, for as long as the block runs."""
    data = scratch / "data"
    ports = [f"--{name}-port=0" for name in ("http", "https", "mllp", "mllps")]
    command = [sys.executable, "-m", "affinity", "up", "--domain", "connectathon", "--no-demo", "--data", str(data)]
    command += ["--trust", f"{ISSUER}={issuer}"]
    with (scratch / "node.log").open("wb") as log:
        process = subprocess.Popen([*command, *ports], cwd=ROOT, stdout=log, stderr=subprocess.STDOUT)
    try:
        yield _ports(process, data / "ports.json", scratch / "node.log")
    finally:
        process.terminate()
        process.wait(timeout=START_SECONDS)
        errors = [line for line in (scratch / "node.log").read_text().splitlines() if "[error" in line]
        print(*errors, sep="\n", end="\n" if errors else "")


def _ports(process: subprocess.Popen[bytes], file: Path, log: Path) -> dict[str, int]:
    deadline = time.monotonic() + START_SECONDS
    while not file.exists():
        if process.poll() is not None or time.monotonic() > deadline:
            raise SystemExit(f"interop: the node did not start:\n{log.read_text()}")
        time.sleep(0.1)
    return dict(json.loads(file.read_text()))


def write_issuer(directory: Path) -> None:
    """The key of an issuer of assertions, as Java reads it, and the certificate by which the node knows it."""
    directory.mkdir()
    key = rsa.generate_private_key(public_exponent=65537, key_size=3072)
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "Interop issuer")])
    now = datetime.now(UTC)
    builder = x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
    builder = builder.not_valid_before(now - timedelta(days=1)).not_valid_after(now + timedelta(days=1))
    certificate = builder.sign(key, SHA256())
    (directory / "issuer.crt.pem").write_bytes(certificate.public_bytes(Encoding.PEM))
    store = pkcs12.serialize_key_and_certificates(b"issuer", key, certificate, None, BestAvailableEncryption(PASSWORD))
    (directory / "issuer.p12").write_bytes(store)


def write_tls(pki: Path, directory: Path) -> None:
    """The development client's key and the authority to trust, as the PKCS #12 files that Java reads."""
    authority = x509.load_pem_x509_certificate((pki / "ca.crt.pem").read_bytes())
    certificate = x509.load_pem_x509_certificate((pki / "client.crt.pem").read_bytes())
    key = load_pem_private_key((pki / "client.key.pem").read_bytes(), None)
    encryption = BestAvailableEncryption(PASSWORD)
    own = pkcs12.serialize_key_and_certificates(b"client", key, certificate, [authority], encryption)  # type: ignore[arg-type]
    trusted = pkcs12.serialize_java_truststore([pkcs12.PKCS12Certificate(authority, b"authority")], encryption)
    (directory / "client.p12").write_bytes(own)
    (directory / "trust.p12").write_bytes(trusted)


def by_hand(ports: dict[str, int]) -> Iterator[Case]:
    """The clients in Python, about one patient."""
    patient = uuid.uuid4().hex[:8]
    patient_id = announce(ports["mllp"], patient, "Handmade", "Hanna")
    yield from mtom.tell(ports["http"], patient_id, repository_unique_id())
    yield from zeep_client.tell(ports["http"], patient, "Handmade")


def tell(classpath: str, http: int, mllp: int, keys: Path, wire: str) -> Iterator[Case]:
    """Run the Java client once. A run that ends early is a failed case."""
    arguments = [str(http), str(mllp), repository_unique_id(), community(), str(keys), wire]
    command = ["java", "-cp", classpath, "interop.Main", *arguments]
    client = subprocess.run(command, capture_output=True, text=True, cwd=CLIENT, timeout=TELL_SECONDS, check=False)
    yield from _cases(client.stdout)
    if client.returncode not in (0, 1) or "CASE" not in client.stdout:
        yield Case(verdict="FAILED", wire=wire, transaction="", name="the client ran", remark=client.stderr[-2000:])


def _cases(output: str) -> Iterator[Case]:
    for line in output.splitlines():
        if line.startswith("CASE\t"):
            verdict, wire, transaction, name, remark = line.split("\t")[1:]
            yield Case(verdict=verdict, wire=wire, transaction=transaction, name=name, remark=remark)


def repository_unique_id() -> str:
    """The id that the connectathon domain gives its repository."""
    return _domain()["repository_unique_id"]


def community() -> str:
    """The domain's home community id, which is the audience of assertions."""
    return _domain()["home_community_id"]


def _domain() -> dict[str, str]:
    settings = tomllib.loads((ROOT / "domains" / "connectathon" / "domain.toml").read_text())
    return dict(settings["domain"])


def show(cases: Sequence[Case]) -> None:
    """Print the table, failures first."""
    table = Table("wire", "transaction", "case", "verdict", "remark")
    for case in sorted(cases, key=lambda each: each.held):
        table.add_row(case.wire, case.transaction, case.name, case.verdict, escape(case.remark))
    Console(width=180).print(table)
    print(f"{sum(case.held for case in cases)} of {len(cases)} cases held")


if __name__ == "__main__":
    sys.exit(main())
