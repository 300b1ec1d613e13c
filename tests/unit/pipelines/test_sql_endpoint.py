"""Is the port of the SQL endpoint looked at before anything starts, and does the JVM behind it end for certain?"""

from __future__ import annotations

import os
import runpy
import shlex
import shutil
import socket
import subprocess
import sys
from pathlib import Path

import pytest

import pipelines.sql.endpoint as endpoint
from lake.errors import ConfigError
from lake.jars import DependencyError, jars
from pipelines.__main__ import main
from pipelines.sql.endpoint import address, end, free_port, prepare


def test_a_taken_port_is_refused_and_zero_is_any_free_one() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(DependencyError, match=f"port {port} on 127.0.0.1 must be free"):
            free_port("127.0.0.1", port)
        assert free_port("127.0.0.1", 0) not in (0, port)
    assert free_port("127.0.0.1", port) == port  # as soon as the other has gone


@pytest.mark.parametrize(
    ("host", "port"),
    [
        ("127.0.0.1", 65536), ("127.0.0.1", -1), ("no-such-host.invalid", 10000), ("", 10000),
        ("203.0.113.7", 10000),  # RFC 5737: nobody's, so not ours
        ("a" * 70 + ".b", 10000),  # a part of a name has at most 63 characters
    ],
)  # fmt: skip
def test_what_is_no_place_to_listen_at_is_a_configuration_error(host: str, port: int) -> None:
    with pytest.raises(ConfigError, match="--port" if host == "127.0.0.1" else "--host"):
        free_port(host, port)


def test_an_address_of_version_six_stands_in_brackets() -> None:
    assert (address("127.0.0.1", 1), address("::1", 2)) == ("jdbc:hive2://127.0.0.1:1/", "jdbc:hive2://[::1]:2/")


def test_a_place_without_a_lake_is_refused_before_a_jvm_starts(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["serve-sql", "--lake", str(tmp_path), "--port", "0"]) == 66
    assert "must be a lake" in capsys.readouterr().err


def test_what_people_create_goes_where_the_server_says(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PYSPARK_SUBMIT_ARGS", "--verbose pyspark-shell")
    prepare(tmp_path / "a b")
    path, classes, conf, warehouse, *given = shlex.split(os.environ["PYSPARK_SUBMIT_ARGS"])
    assert (path, conf, warehouse) == ("--driver-class-path", "--conf", f"spark.sql.warehouse.dir={tmp_path}/a b/warehouse")
    assert classes.split(os.pathsep) == [str(jar) for jar in jars()]
    assert given == ["--verbose", "pyspark-shell"]


NAMES = ("HIVE_SERVER2_THRIFT_BIND_HOST", "HIVE_SERVER2_THRIFT_PORT", "HIVE_SERVER2_TRANSPORT_MODE")


def test_no_variable_of_hives_that_overrides_the_host_reaches_the_jvm(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PYSPARK_SUBMIT_ARGS", "pyspark-shell")
    monkeypatch.delenv("PYSPARK_GATEWAY_PORT", raising=False)
    for name in NAMES:
        monkeypatch.setenv(name, "0.0.0.0")
    prepare(tmp_path)
    assert not [name for name in os.environ if name.startswith("HIVE_SERVER2_")]


@pytest.mark.parametrize("name", NAMES)
def test_under_spark_submit_whose_jvm_has_read_them_they_are_refused(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PYSPARK_GATEWAY_PORT", "1")
    monkeypatch.setenv("PYSPARK_SUBMIT_ARGS", "pyspark-shell")
    monkeypatch.setenv(name, "0.0.0.0")
    with pytest.raises(ConfigError, match=f"{name}: unset it"):
        prepare(tmp_path)


def test_the_job_puts_a_folder_before_all_others_only_where_our_rooms_lie_in_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    job = Path(endpoint.__file__).parents[2] / "jobs" / "serve_sql.py"
    (tmp_path / "jobs").mkdir()
    monkeypatch.setattr(sys, "path", list(sys.path))
    runpy.run_path(shutil.copy(job, tmp_path / "jobs"))
    assert str(tmp_path) not in sys.path
    runpy.run_path(str(job))
    assert sys.path[0] == str(job.parents[1])


@pytest.mark.parametrize("stubborn", [False, True])
def test_a_process_ends_with_its_pipe_or_is_killed(stubborn: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(endpoint, "STOP_SECONDS", 0.5 if stubborn else 60.0)
    code = "import time; time.sleep(600)" if stubborn else "import sys; sys.stdin.read()"
    child = subprocess.Popen([sys.executable, "-c", code], stdin=subprocess.PIPE)
    end(child)
    assert child.returncode == (-9 if stubborn else 0)
