"""The commands of ``docs/backup.md``, run: from a node that takes messages to one that answers from what came back."""

import json
import os
import re
import shutil
import sqlite3
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import psycopg
import pytest
from typer.testing import CliRunner, Result

from affinity.cli import app
from tests.end_to_end.conftest import ROOT, RunningNode, Start, start_node

GUIDE = (ROOT / "docs/backup.md").read_text(encoding="utf-8")
RED = "1.3.6.1.4.1.21367.13.20.1000"
FEED = """MSH|^~\\&|PAM|RED|AFFINITY|AFFINITY|20261123||ADT^A28^ADT_A05|BACKUP-{id}|P|2.5
EVN||20261123
PID|||{id}^^^IHERED&1.3.6.1.4.1.21367.13.20.1000&ISO||Restored^{id}||19450508|F
PV1||N
"""
pytestmark = pytest.mark.timeout(400)  # a node is started, filled, and started again from a copy
POSTGRESQL = Path(os.environ.get("AFFINITY_TEST_POSTGRESQL", "/usr/lib/postgresql/15/bin"))
"""Where the programs of a whole PostgreSQL are; the one that other tests use has no base backups."""


def commands(chapter: str) -> list[str]:
    """The shell blocks of a chapter of the guide."""
    text = GUIDE.split(f"\n## {chapter}\n")[1].split("\n## ")[0]
    return re.findall(r"^```sh\n(.*?)^```", text, re.MULTILINE | re.DOTALL)


def shell(block: str, places: Mapping[str, Path | str], expected: int = 0) -> str:
    """Run a block as the guide has it; every command must succeed."""
    path = f"{Path(sys.executable).parent}:{POSTGRESQL}:{os.environ['PATH']}"
    environment = {**os.environ, **{name: str(each) for name, each in places.items()}, "PATH": path}
    environment["PYTHONPATH"] = str(ROOT)
    done = subprocess.run(["bash", "-euc", block], env=environment, cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == expected, f"{block}\n{done.stdout}\n{done.stderr}"
    return done.stdout


def run(*arguments: object) -> Result:
    return CliRunner().invoke(app, [str(each) for each in arguments])


def patient(id: str) -> str:
    return f"{id}^^^&{RED}&ISO"


def take(node: RunningNode, id: str, directory: Path) -> bytes:
    """Let a node acknowledge a patient and a document of theirs; its bytes."""
    feed, scan = directory / f"{id}.hl7", directory / f"{id}.pdf"
    feed.write_text(FEED.format(id=id))
    content = b"%PDF-1.7\n" + id.encode() * 20_000
    scan.write_bytes(content)
    sent = run("send", feed, "--data", node.data)
    assert sent.exit_code == 0, sent.output
    unique_id = ("--unique-id", f"2.25.77{int(id[-1])}")
    submitted = run("submit", scan, "--patient-id", patient(id), *unique_id, "--data", node.data)
    assert submitted.exit_code == 0, submitted.output
    return content


def delivered(node: RunningNode, id: str, directory: Path) -> bytes:
    """The document of a patient, as a node delivers it."""
    fetched = run("retrieve", f"2.25.77{int(id[-1])}", "--data", node.data, "--out", directory / id, "--json")
    assert fetched.exit_code == 0, fetched.output
    return Path(json.loads(fetched.stdout)["documents"][0]["path"]).read_bytes()


def knows(node: RunningNode, id: str) -> bool:
    asked = run("query", "--patient-id", patient(id), "--data", node.data, "--json")
    return asked.exit_code == 0 and len(json.loads(asked.stdout)["objects"]) == 1


def places(tmp_path: Path, **more: Path | str) -> dict[str, Path | str]:
    names = {"DATA": "data", "BACKUP": "backup", "KEYS": "keys", "RESTORED": "restored"}
    return {**{name: tmp_path / each for name, each in names.items()}, **more}


def test_sqlite_is_restored_to_the_moment_of_the_backup(start: Start, tmp_path: Path) -> None:
    where = places(tmp_path)
    make, restore = commands("SQLite")
    node = start("--domain", "connectathon")
    before = take(node, "R1", tmp_path)
    shell(make, where)
    assert "1 documents, 0 copied now" in shell(make, where)
    take(node, "R2", tmp_path)
    assert "complete" in run("status", "--data", node.data).stdout
    node.kill()
    verdict = shell(restore, where)
    assert "intact" in verdict and "Every table is what the log says." in verdict
    restored = start("--domain", "connectathon", data=tmp_path / "restored")
    assert knows(restored, "R1") and delivered(restored, "R1", tmp_path) == before
    assert not knows(restored, "R2")


@pytest.fixture(scope="module")
def crashed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The data directory of a node with one document, killed."""
    directory = tmp_path_factory.mktemp("crashed")
    node = start_node(directory / "data", "--domain", "connectathon")
    take(node, "R1", directory)
    node.kill()
    return node.data


@pytest.fixture
def stopped(crashed: Path, tmp_path: Path) -> Path:
    """A copy of it."""
    return Path(shutil.copytree(crashed, tmp_path / "data"))


def test_a_backup_lacks_nothing_or_says_what_and_keeps_the_last_good_one(stopped: Path, tmp_path: Path) -> None:
    target = tmp_path / "backup"
    made = run("db", "backup", target, "--data", stopped, "--json")
    assert json.loads(made.stdout)["documents"] == json.loads(made.stdout)["copied"]["files"] == 1
    again = json.loads(run("db", "backup", target, "--data", stopped, "--json").stdout)
    assert (again["documents"], again["copied"]["files"], again["keys"]) == (1, 0, [])
    [stored] = (stopped / "documents/content").glob("*/*/*")
    [kept] = (target / "documents/content").glob("*/*/*")
    assert kept.read_bytes() == stored.read_bytes()
    kept.unlink()
    stored.write_bytes(stored.read_bytes()[:-1])
    good = (target / "affinity.db").read_bytes()
    refused = run("db", "backup", target, "--data", stopped)
    assert refused.exit_code == 1
    assert f"not whole in the store: {stored.stem[:16]}" in refused.stderr
    assert (target / "affinity.db").read_bytes() == good


def test_what_was_removed_is_forgotten_when_asked(stopped: Path, tmp_path: Path) -> None:
    target = tmp_path / "backup"
    assert run("db", "backup", target, "--data", stopped).exit_code == 0
    with sqlite3.connect(stopped / "affinity.db") as database:
        database.execute("UPDATE document SET removed_at = '2026-11-23 12:00:00'")
    assert json.loads(run("db", "backup", target, "--data", stopped, "--json").stdout)["pruned"] == 0
    assert list((target / "documents/content").glob("*/*/*"))
    assert json.loads(run("db", "backup", target, "--data", stopped, "--prune", "--json").stdout)["pruned"] == 1
    assert not list((target / "documents/content").glob("*/*/*"))


def test_a_backup_inside_of_its_own_data_is_refused_and_one_is_audited(stopped: Path, tmp_path: Path) -> None:
    refused = run("db", "backup", stopped / "backup", "--data", stopped)
    assert refused.exit_code == 1 and "lie in each other" in refused.stderr
    assert run("db", "backup", tmp_path / "backup", "--data", stopped).exit_code == 0
    found = json.loads(run("audit", "search", "--data", stopped, "--json").stdout)
    assert str(tmp_path / "backup") in json.dumps(found) and "db backup" in json.dumps(found)


@dataclass
class Cluster:
    """A PostgreSQL of one test, run by who may: its programs refuse root."""

    home: Path
    user: str | None

    def program(self, name: str, *arguments: str) -> None:
        """Run one of its programs."""
        done = subprocess.run(
            [POSTGRESQL / name, *arguments], user=self.user, cwd=self.home, capture_output=True, text=True, env=self.env
        )
        assert done.returncode == 0, f"{name}: {done.stdout}{done.stderr}"

    @property
    def env(self) -> dict[str, str]:
        return {**os.environ, "PGHOST": str(self.home), "PGUSER": "affinity", "LC_ALL": "C"}

    def start(self, data: Path) -> None:
        """Start it on a directory, and wait until it takes connections."""
        log = ("--log", str(self.home / "log"))
        self.program("pg_ctl", f"--pgdata={data}", "--wait", *log, "start")

    def stop(self, data: Path) -> None:
        """Stop it in order, so that what is archived is whole."""
        self.program("pg_ctl", f"--pgdata={data}", "--wait", "--mode=fast", "stop")

    @property
    def url(self) -> str:
        return f"postgresql+psycopg://affinity@/affinity?host={self.home}"

    def ask(self, statement: str, database: str = "affinity") -> object:
        """One value."""
        with psycopg.connect(host=str(self.home), user="affinity", dbname=database, autocommit=True) as connection:
            cursor = connection.execute(statement)  # type: ignore[call-overload]
            return cursor.fetchone()[0] if cursor.description else None


@pytest.fixture
def cluster() -> Iterator[Cluster]:
    """An empty directory in which a PostgreSQL may live; its sockets lie there as well."""
    missing = [each for each in ("initdb", "pg_ctl", "pg_basebackup") if not (POSTGRESQL / each).is_file()]
    if missing:
        pytest.skip(
            f"{POSTGRESQL} has no {', '.join(missing)}: apt-get install postgresql, or AFFINITY_TEST_POSTGRESQL"
        )
    user = "postgres" if os.geteuid() == 0 else None
    home = Path(tempfile.mkdtemp(prefix="affinity-pitr-", dir="/tmp"))  # short, for the path of a socket
    if user:
        shutil.chown(home, user)
    made = Cluster(home, user)
    yield made
    for each in home.glob("*/postmaster.pid"):
        made.stop(each.parent)
    shutil.rmtree(home)


def lively(cluster: Cluster) -> Path:
    """A cluster that archives its WAL as the guide says, and has an empty database."""
    data, archive = cluster.home / "cluster", cluster.home / "archive"
    cluster.program("initdb", f"--pgdata={data}", "--username=affinity", "--auth=trust", "--encoding=UTF8", "--no-sync")
    [settings] = re.findall(r"^```\n(wal_level.*?)^```", GUIDE, re.MULTILINE | re.DOTALL)
    own = f"listen_addresses = ''\nunix_socket_directories = '{cluster.home}'\n"
    with (data / "postgresql.conf").open("a") as file:
        file.write(settings.replace("/archive/", f"{archive}/") + own)
    archive.mkdir()
    if cluster.user:
        shutil.chown(archive, cluster.user)
    cluster.start(data)
    cluster.ask("CREATE DATABASE affinity", database="postgres")
    return data


def as_postgres(block: str, cluster: Cluster) -> str:
    """A block whose programs of PostgreSQL are run by who may run them."""
    if cluster.user is None:
        return block
    return "\n".join(
        f"runuser -u {cluster.user} -- env PATH=$PATH {line}" if line.startswith(("pg_", "cp -a", "touch")) else line
        for line in block.splitlines()
    )


def test_postgresql_is_restored_to_a_moment_between_two_acknowledged_messages(
    start: Start, tmp_path: Path, cluster: Cluster
) -> None:
    data = lively(cluster)
    config = tmp_path / "affinity.toml"
    config.write_text(f'domain = "connectathon"\ndata = "{tmp_path / "data"}"\ndatabase_url = "{cluster.url}"\n')
    home = cluster.home
    where = places(tmp_path, CONFIG=config, BASE=home / "base", CLUSTER=home / "restored", ARCHIVE=home / "archive")
    where |= {"PGHOST": home, "PGUSER": "affinity"}
    make, restore, renew = commands("PostgreSQL, to a point in time")
    node = start("--domain", "connectathon", "--database-url", cluster.url)
    base_backup, documents = make.splitlines()
    shell(as_postgres(base_backup, cluster), where)
    before = take(node, "R1", tmp_path)
    moment = cluster.ask("SELECT clock_timestamp()")
    take(node, "R2", tmp_path)
    shell(documents, where)
    assert knows(node, "R2")
    assert node.terminate() == 0
    cluster.stop(data)  # which archives the last WAL

    shell(
        as_postgres(restore.replace("--wait start", f"--wait --log={home / 'log'} start"), cluster),
        where | {"MOMENT": str(moment)},
    )
    while cluster.ask("SELECT pg_is_in_recovery()"):
        pass
    verdict = shell(renew, where)
    assert "intact" in verdict and "Every table is what the log says." in verdict
    lost = run(
        "audit", "verify", "--config", config, "--data", where["RESTORED"], "--root", tmp_path / "data/audit-root.json"
    )
    assert lost.exit_code == 1 and "are gone" in lost.stdout
    restored = start("--domain", "connectathon", "--database-url", cluster.url, data=tmp_path / "restored")
    assert knows(restored, "R1") and delivered(restored, "R1", tmp_path) == before
    assert not knows(restored, "R2")
