"""Would the containers start as the documents say? What can be known of docker-compose.yml and its Dockerfile without an engine."""

from __future__ import annotations

import re
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml

from pipelines.rooms import ROOMS

ROOT = Path(__file__).resolve().parents[2]
DOCKERFILE = (ROOT / "docker" / "Dockerfile").read_text(encoding="utf-8")
FILE: dict[str, Any] = yaml.safe_load((ROOT / "docker-compose.yml").read_text(encoding="utf-8"))
SERVICES: dict[str, dict[str, Any]] = FILE["services"]
ONE_SHOT = {"job"}
# Of the Compose specification's service fields those that this file may use; a misspelt one is otherwise found by an engine only.
FIELDS = {
    "image", "build", "user", "init", "cap_drop", "security_opt", "depends_on", "command", "entrypoint", "environment", "hostname",
    "healthcheck", "restart", "volumes", "ports", "profiles",
}  # fmt: skip


def words(service: dict[str, Any]) -> list[str]:
    return [*service.get("entrypoint", []), *service.get("command", [])]


def test_there_are_a_master_two_workers_a_job_and_the_sql_endpoint() -> None:
    assert set(SERVICES) == {"master", "worker-1", "worker-2", "job", "sql"}
    assert set(FILE) == {"name", "services", "volumes", "x-assay", "x-worker"}


@pytest.mark.parametrize("name", SERVICES)
def test_every_field_of_a_service_is_one_that_compose_knows(name: str) -> None:
    assert set(SERVICES[name]) <= FIELDS
    for other, wish in SERVICES[name].get("depends_on", {}).items():
        assert other in SERVICES and wish == {"condition": "service_healthy"}
        assert "test" in SERVICES[other]["healthcheck"]  # what cannot become healthy would be waited for without end
    for volume in SERVICES[name].get("volumes", []):
        assert volume.split(":")[0] in FILE["volumes"]


@pytest.mark.parametrize("name", SERVICES)
def test_no_service_runs_as_root_or_can_become_it(name: str) -> None:
    user, group = (int(number) for number in SERVICES[name]["user"].split(":"))
    assert user > 0 and group > 0
    assert SERVICES[name]["cap_drop"] == ["ALL"] and "no-new-privileges:true" in SERVICES[name]["security_opt"]


@pytest.mark.parametrize("name", SERVICES)
def test_every_published_port_is_bound_to_the_loopback(name: str) -> None:
    for port in SERVICES[name].get("ports", []):
        assert re.fullmatch(r"127\.0\.0\.1:\d+:\d+", port), port
    assert bool(SERVICES[name].get("ports")) == (name in ("master", "sql"))


@pytest.mark.parametrize("name", SERVICES)
def test_every_service_that_stays_up_has_a_healthcheck_of_a_port_that_it_opens(name: str) -> None:
    check = SERVICES[name]["healthcheck"]
    if name in ONE_SHOT:
        assert check == {"disable": True}
        return
    assert set(check) == {"test", "interval", "timeout", "retries", "start_period"}
    port = check["test"][-1].rsplit("/", 1)[1]
    assert port in words(SERVICES[name])


def test_the_sql_endpoint_cannot_write_the_lake_and_rest_submission_is_off() -> None:
    assert SERVICES["sql"]["volumes"] == ["lake:/lake:ro"]
    assert SERVICES["master"]["environment"]["SPARK_DAEMON_JAVA_OPTS"] == "-Dspark.master.rest.enabled=false"


def test_the_image_is_the_official_spark_of_the_pinned_version_and_drops_root(script: Callable[[str], Any]) -> None:
    pinned = re.search(r"^pyspark==(.*)$", (ROOT / "constraints.txt").read_text(encoding="utf-8"), re.MULTILINE)
    assert pinned
    assert re.findall(r"^FROM (.*)$", DOCKERFILE, re.MULTILINE) == [f"apache/spark:{pinned[1]}-scala2.13-java17-python3-ubuntu"]
    assert re.findall(r"^USER (.*)$", DOCKERFILE, re.MULTILINE)[-1] == SERVICES["master"]["user"]
    assert SERVICES["master"]["image"] == f"assay:{script('make_dist').version()}"
    assert f" {script('install').UV} " in DOCKERFILE


def test_what_the_image_copies_is_there_is_sent_to_the_engine_and_holds_every_room() -> None:
    sources = [word for line in re.findall(r"^COPY (.*)$", DOCKERFILE, re.MULTILINE) for word in line.split()[:-1]]
    assert [source for source in sources if not (ROOT / source).exists()] == []
    assert set(ROOMS) <= set(sources)
    sent = {line[1:] for line in (ROOT / "docker" / "Dockerfile.dockerignore").read_text().splitlines() if line.startswith("!")}
    assert sent == set(sources)


def test_what_the_services_run_exists_in_the_image() -> None:
    job = next(word for word in words(SERVICES["job"]) if word.endswith(".py"))
    config = next(word for word in words(SERVICES["job"]) if word.endswith(".yaml"))
    assert (ROOT / job).is_file() and (ROOT / config).is_file()


def test_compose_itself_accepts_the_file_where_it_is_installed() -> None:
    docker = shutil.which("docker")
    if docker is None or subprocess.run([docker, "compose", "version"], capture_output=True, check=False).returncode:
        pytest.skip("docker compose is not installed here")
    answer = subprocess.run([docker, "compose", "config", "--quiet"], cwd=ROOT, capture_output=True, text=True, check=False)
    assert answer.returncode == 0, answer.stderr
