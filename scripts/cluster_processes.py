"""How does a Spark standalone cluster live on one machine? A master and workers as processes of their own, on the loopback, on free ports.

Everything lies in one folder: `cluster.json` (address and process ids), a log and a working folder per process. The processes get no
PYTHONPATH and start in their own folders, so that a task can import only what was shipped with the job.
"""

from __future__ import annotations

import contextlib
import json
import os
import re
import signal
import subprocess
import time
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from importlib.util import find_spec
from pathlib import Path

from lake.jars import DependencyError

LOOPBACK = "127.0.0.1"
MASTER, WORKER = "org.apache.spark.deploy.master.Master", "org.apache.spark.deploy.worker.Worker"
START_SECONDS, STOP_SECONDS = 60.0, 15.0
# A quick start for small processes; no REST submission, whatever a later Spark may choose as its default.
DAEMON_OPTIONS = "-XX:TieredStopAtLevel=1 -XX:+UseSerialGC -Dspark.master.rest.enabled=false"


@dataclass(frozen=True)
class Cluster:
    """A running cluster: `spark://` address of its master, and process id by name (`master`, `worker-1`, …)."""

    master: str
    processes: Mapping[str, int]


def spark_home() -> Path:
    """The folder of pip's pyspark, with its bin and jars."""
    spec = find_spec("pyspark")
    if spec is None or spec.origin is None:
        raise DependencyError("pyspark must be installed; run `make setup`")
    return Path(spec.origin).parent


def environment() -> dict[str, str]:
    """This process's variables without what would lead Python or Spark elsewhere; every port binds to the loopback."""
    foreign = re.compile(r"PYTHON(PATH|HOME|STARTUP)|PYSPARK_|SPARK_|HADOOP_CONF|YARN_CONF|VIRTUAL_ENV")
    kept = {name: value for name, value in os.environ.items() if not foreign.match(name)}
    own = {"SPARK_HOME": str(spark_home()), "SPARK_LOCAL_IP": LOOPBACK, "SPARK_NO_DAEMONIZE": "1"}
    return kept | own | {"SPARK_DAEMON_JAVA_OPTS": DAEMON_OPTIONS, "SPARK_DAEMON_MEMORY": "256m"}


def start(folder: Path, workers: int = 2, memory: str = "1g") -> Cluster:
    """Starts a master and `workers` workers of one core each, and waits until all are registered.

    Raises DependencyError when a cluster runs in `folder` already, or a process ends or keeps silent; then nothing is left running.
    """
    if (folder / "cluster.json").exists():
        raise DependencyError(f"{folder} must hold no running cluster; stop it first: scripts/cluster stop --folder {folder}")
    folder.mkdir(parents=True, exist_ok=True)
    processes: dict[str, int] = {}
    try:
        ports = ("--host", LOOPBACK, "--port", "0", "--webui-port", "0")
        address = _started(folder, "master", processes, (MASTER, *ports), rf"Starting Spark master at (spark://{LOOPBACK}:\d+)")
        for number in range(1, workers + 1):
            limits = ("--cores", "1", "--memory", memory, "--work-dir", str(folder / f"worker-{number}" / "work"))
            _launch(folder, f"worker-{number}", processes, (WORKER, *ports, *limits, address))
        for name, process in processes.items():
            if name != "master":
                _said(folder / f"{name}.log", process, r"(Successfully registered) with master")
    except BaseException:
        _end(processes)
        raise
    cluster = Cluster(address, processes)
    (folder / "cluster.json").write_text(json.dumps(asdict(cluster)), encoding="utf-8")
    return cluster


def running(folder: Path) -> Cluster:
    """The cluster that was started in `folder`. DependencyError when there is none."""
    note = folder / "cluster.json"
    if not note.exists():
        raise DependencyError(f"{folder} must hold a running cluster; start one: scripts/cluster start --folder {folder}")
    found = json.loads(note.read_text(encoding="utf-8"))
    return Cluster(found["master"], found["processes"])


def stop(folder: Path) -> None:
    """Ends the processes of the cluster in `folder`, workers first; nothing happens when there is none."""
    note = folder / "cluster.json"
    if note.exists():
        _end(running(folder).processes)
        note.unlink()


def alive(process: int) -> bool:
    """True while this id belongs to a running Spark daemon: ids are used again, and a dead child waits to be asked for."""
    try:
        command = Path(f"/proc/{process}/cmdline").read_bytes()
    except (FileNotFoundError, ProcessLookupError):
        return False
    return any(name.encode() in command for name in (MASTER, WORKER))


def _started(folder: Path, name: str, processes: dict[str, int], command: tuple[str, ...], pattern: str) -> str:
    _launch(folder, name, processes, command)
    return _said(folder / f"{name}.log", processes[name], pattern)


def _launch(folder: Path, name: str, processes: dict[str, int], command: tuple[str, ...]) -> None:
    (folder / name).mkdir(exist_ok=True)
    with (folder / f"{name}.log").open("wb") as log:
        child = subprocess.Popen(
            [str(spark_home() / "bin" / "spark-class"), *command],
            cwd=folder / name, env=environment(), stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True,
        )  # fmt: skip
    processes[name] = child.pid  # spark-class ends in exec: this is the JVM


def _said(log: Path, process: int, pattern: str) -> str:
    """The first group of `pattern` once the log holds it."""
    until = time.monotonic() + START_SECONDS
    while time.monotonic() < until:
        text = log.read_text(encoding="utf-8", errors="replace")
        if found := re.search(pattern, text):
            return found[1]
        if os.waitpid(process, os.WNOHANG) != (0, 0):
            raise DependencyError(f"{log.stem} must stay up and has ended; its last words: {text[-500:]}")
        time.sleep(0.1)
    raise DependencyError(f"{log.stem} must be up within {START_SECONDS:.0f} s; see {log}")


def _end(processes: Mapping[str, int]) -> None:
    """SIGTERM to all, workers first (they end their executors), SIGKILL to the groups of those that do not listen."""
    ordered = sorted(processes.items(), reverse=True)  # worker-… before master
    for _, process in ordered:
        _signal(process, signal.SIGTERM)
    until = time.monotonic() + STOP_SECONDS
    while time.monotonic() < until and any(_lives(process) for _, process in ordered):
        time.sleep(0.1)
    for _, process in ordered:
        if _lives(process):
            os.killpg(process, signal.SIGKILL)


def _lives(process: int) -> bool:
    with contextlib.suppress(ChildProcessError):
        os.waitpid(process, os.WNOHANG)  # collects it where it is our child, so that its entry goes
    return alive(process)


def _signal(process: int, number: signal.Signals) -> None:
    if alive(process):
        os.kill(process, number)
