"""Do the commands of docs/cluster.md that can be run here do what the page says? Without a pipeline: test_standalone.py runs that."""

from __future__ import annotations

import importlib
import os
import re
import socket
import struct
import subprocess
import sys
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from pipelines.rooms import ROOMS

ROOT = Path(__file__).resolve().parents[2]
PAGE = (ROOT / "docs" / "cluster.md").read_text(encoding="utf-8")
LISTENING = "0A"
Script = Callable[[str], Any]


def called(*words: str | Path, **variables: str) -> subprocess.CompletedProcess[str]:
    environment = os.environ | {"PATH": f"{ROOT / '.venv' / 'bin'}:{os.environ['PATH']}"} | variables
    command = [str(word) for word in words]
    return subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=180, check=False)


def section(number: int) -> str:
    return re.split(r"^## ", PAGE, flags=re.MULTILINE)[number]


def listened_on(process: int) -> set[str]:
    """The addresses on which a process accepts connections, as text; IPv4 addresses inside IPv6 as IPv4."""
    inodes = {os.readlink(link) for link in Path(f"/proc/{process}/fd").iterdir() if link.is_symlink()}
    found = set()
    for kind in ("tcp", "tcp6"):
        for line in Path(f"/proc/{process}/net/{kind}").read_text().splitlines()[1:]:
            fields = line.split()
            if fields[3] == LISTENING and f"socket:[{fields[9]}]" in inodes:
                words = re.findall("." * 8, fields[1].split(":")[0])  # each a number of 32 bits, lowest byte first
                raw = b"".join(struct.pack("<I", int(word, 16)) for word in words)
                found.add(
                    socket.inet_ntop(socket.AF_INET, raw[-4:]) if raw[:12] in (b"", b"\0" * 10 + b"\xff\xff") or len(raw) == 4 else "::"
                )
    return found


@pytest.fixture(scope="module")
def archive() -> Path:
    answer = called(ROOT / ".venv" / "bin" / "python", "scripts/make_dist.py")  # what `make dist` runs after `make setup`
    assert answer.returncode == 0, answer.stderr
    return ROOT / answer.stdout.splitlines()[-1]


@pytest.fixture(scope="module")
def processes() -> Iterator[ModuleType]:
    """scripts/cluster_processes.py as a module (scripts are no package)."""
    sys.path.insert(0, str(ROOT / "scripts"))
    yield importlib.import_module("cluster_processes")
    sys.path.remove(str(ROOT / "scripts"))


@pytest.fixture(scope="module")
def cluster(archive: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Path, str]]:
    """A started cluster: its folder and its master's address."""
    folder = tmp_path_factory.mktemp("commands")
    started = called(ROOT / "scripts" / "cluster", "start", "--folder", folder)
    try:
        assert started.returncode == 0, started.stderr
        yield folder, started.stdout.strip()
    finally:
        called(ROOT / "scripts" / "cluster", "stop", "--folder", folder)


def test_make_dist_writes_the_archive_and_the_jobs_that_the_page_names(archive: Path) -> None:
    named = set(re.findall(r"dist/[\w./-]+\.(?:zip|py)", PAGE)) | {f"dist/jobs/{name}" for name in re.findall(r"`(\w+\.py)`", section(4))}
    assert f"dist/{archive.name}" in named
    assert {name for name in named if not (ROOT / name).is_file()} == set()


def test_the_archive_holds_every_file_of_every_room_and_no_bytecode(archive: Path) -> None:
    with zipfile.ZipFile(archive) as found:
        names = set(found.namelist())
    rooms = {path.relative_to(ROOT).as_posix() for room in ROOMS for path in (ROOT / room).rglob("*.py")}
    assert rooms <= names
    assert {name for name in names - rooms if not name.endswith(("METADATA", "log4j2.properties"))} == set()


def test_the_archive_is_the_same_bytes_when_it_is_made_again(script: Script, archive: Path, tmp_path: Path) -> None:
    assert script("make_dist").make(tmp_path).read_bytes() == archive.read_bytes()


def test_a_job_that_is_no_more_does_not_stay_in_dist(script: Script, tmp_path: Path) -> None:
    (tmp_path / "jobs").mkdir()
    (tmp_path / "jobs" / "gone.py").touch()
    script("make_dist").make(tmp_path)
    assert {path.name for path in (tmp_path / "jobs").iterdir()} == {path.name for path in (ROOT / "jobs").glob("*.py")}


@pytest.fixture(scope="module")
def checker(processes: ModuleType) -> ModuleType:
    """scripts/cluster.py as a module."""
    return importlib.import_module("cluster")


def test_a_check_begins_with_empty_folders_and_removes_only_those_that_a_check_made(checker: ModuleType, tmp_path: Path) -> None:
    made, foreign = tmp_path / "made", tmp_path / "foreign"
    checker.fresh(made)
    (made / "lake").mkdir()
    checker.fresh(made)
    assert [path.name for path in made.iterdir()] == [checker.MADE]
    foreign.mkdir()
    (foreign / "mine.txt").touch()
    with pytest.raises(checker.DependencyError, match="move it"):
        checker.fresh(foreign)
    assert (foreign / "mine.txt").exists()


def test_the_archive_says_which_version_of_assay_it_is(script: Script, archive: Path) -> None:
    program = "import importlib.metadata as m, sys; print([d.version for d in m.distributions(path=[sys.argv[1]]) if d.name == 'assay'])"
    assert called(ROOT / ".venv" / "bin" / "python", "-c", program, archive).stdout.strip() == f"['{script('make_dist').version()}']"


def test_rooms_in_an_archive_are_ours_and_a_foreign_one_before_them_is_refused(archive: Path, tmp_path: Path) -> None:
    program = "import pipelines.rooms as r; r.own_rooms(); print(r.ROOT)"
    python = ROOT / ".venv" / "bin" / "python"
    inside = subprocess.run(
        [str(python), "-I", "-c", f"import sys; sys.path.insert(0, {str(archive)!r}); {program}"],
        cwd=tmp_path, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert inside.stdout.strip() == str(archive), inside.stderr
    (tmp_path / "gold").mkdir()
    (tmp_path / "gold" / "__init__.py").touch()
    # importing pipelines puts the archive first; a folder that gets before it even then is found out
    foreign = f"import sys; sys.path.insert(0, {str(archive)!r}); import pipelines; sys.path.insert(0, {str(tmp_path)!r}); {program}"
    refused = subprocess.run([str(python), "-I", "-c", foreign], cwd=tmp_path, capture_output=True, text=True, check=False)
    assert refused.returncode != 0 and "not Assay's" in refused.stderr


@pytest.mark.slow
@pytest.mark.spark
def test_every_daemon_listens_on_the_loopback_only(cluster: tuple[Path, str], processes: ModuleType) -> None:
    folder, address = cluster
    running = processes.running(folder)
    assert running.master == address
    assert set(running.processes) == {"master", "worker-1", "worker-2"}
    for process in running.processes.values():
        assert listened_on(process) == {"127.0.0.1"}


@pytest.mark.slow
@pytest.mark.spark
def test_a_second_cluster_in_one_folder_is_refused(cluster: tuple[Path, str]) -> None:
    answer = called(ROOT / "scripts" / "cluster", "start", "--folder", cluster[0])
    assert answer.returncode == 69 and "stop it first" in answer.stderr


@pytest.mark.slow
@pytest.mark.spark
def test_the_pages_submit_command_brings_the_job_to_a_standalone_cluster(cluster: tuple[Path, str], tmp_path: Path) -> None:
    # As it stands there, but for the places; asked for its help, the job imports its rooms from the archive and opens no session.
    found = re.search(r"^```sh\n(.*?)^```", section(4), re.MULTILINE | re.DOTALL)
    assert found
    command = found[1].replace("spark://MASTER:7077", cluster[1]).replace("mine.yaml", "--help").replace("/shared/assay", str(ROOT))
    answer = called("bash", "-c", command.replace("/shared", str(tmp_path)))
    assert answer.returncode == 0, answer.stderr[-2000:]
    assert "usage: run_pipeline.py" in answer.stdout and "--layers" in answer.stdout


@pytest.mark.slow
@pytest.mark.spark
def test_run_submits_to_the_cluster_and_stop_leaves_nothing_running(cluster: tuple[Path, str], processes: ModuleType) -> None:
    folder, _ = cluster
    pids = processes.running(folder).processes.values()
    answer = called(ROOT / "scripts" / "cluster", "run", "--folder", folder, "--", "missing.yaml", "--lake", "nowhere")
    said = answer.stdout + answer.stderr  # spark-submit sends both streams of a Python driver to its stdout
    assert answer.returncode == 66 and "no configuration at missing.yaml" in said, said[-2000:]  # the job's own answer
    assert called(ROOT / "scripts" / "cluster", "stop", "--folder", folder).returncode == 0
    assert [pid for pid in pids if processes.alive(pid)] == []
    assert called(ROOT / "scripts" / "cluster", "run", "--folder", folder, "--", "--help").returncode == 69
