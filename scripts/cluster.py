"""Does the pipeline give the same tables on a real cluster? Starts one on this machine, submits the shipped archive, compares, stops.

scripts/cluster start                          a master and two workers on the loopback; prints the master's address
scripts/cluster run -- CONFIG --lake DIR       spark-submit of dist/ to it: the arguments of `assay run`
scripts/cluster stop
scripts/cluster check CONFIG                   all of it, and an embedded run beside it; 0 when the tables are equal, else 1
"""

from __future__ import annotations

import argparse
import shutil
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

import compare_lakes
import make_dist
from cluster_processes import LOOPBACK, environment, running, spark_home, start, stop

from lake.jars import DependencyError, jars, java_options

QUIET = f"-Dlog4j2.configurationFile={(ROOT / 'lake' / 'log4j2.properties').as_uri()}"
FOLDER = ROOT / "build" / "cluster"
MADE = ".made-by-cluster-check"  # only a folder with this file is ever removed
# Suits two workers of one core and little data. A later --conf of the same key wins.
CONF = (
    "spark.ui.enabled=false",
    f"spark.driver.host={LOOPBACK}",
    f"spark.driver.bindAddress={LOOPBACK}",
    "spark.executor.cores=1",
    "spark.executor.memory=600m",
    "spark.locality.wait=0s",
    "spark.sql.shuffle.partitions=4",
    "spark.databricks.delta.snapshotPartitions=1",
)


def bare_python(folder: Path) -> Path:
    """A Python with this environment's packages but without this checkout, which `make setup` has installed in place.

    On a cluster the rooms come with the job; here they must not be found anywhere else either.
    """
    python = folder / "python" / "bin" / "python"
    if not python.exists():
        subprocess.run([sys.executable, "-m", "venv", "--without-pip", str(folder / "python")], check=True)
        packages = folder / "python" / "lib" / f"python{sys.version_info.major}.{sys.version_info.minor}" / "site-packages"
        # the .pth files of a folder that is added by a .pth file are not read: not the one that leads to this checkout either
        (packages / "packages.pth").write_text(f"{spark_home().parent}\n", encoding="utf-8")
    return python


def submit(folder: Path, job: Path, arguments: Sequence[str], conf: Sequence[str] = ()) -> subprocess.CompletedProcess[str]:
    """spark-submit of one job with the archive of `make dist` to the cluster in `folder`; its logs go to stderr, its stdout is captured.

    The driver starts in the caller's folder, so that relative paths mean what they say.
    """
    archive = make_dist.make()
    command = [str(spark_home() / "bin" / "spark-submit"), "--master", running(folder).master, "--driver-memory", "1g"]
    command += ["--driver-java-options", " ".join([QUIET, *java_options()]), "--jars", ",".join(str(jar) for jar in jars())]
    executors = f"spark.executor.extraJavaOptions={' '.join(java_options())}"
    command += [word for pair in (*CONF, executors, *conf) for word in ("--conf", pair)]
    command += ["--py-files", str(archive), str(job), *arguments]
    python = {"PYSPARK_PYTHON": str(bare_python(folder))}
    return subprocess.run(command, env=environment() | python, stdout=subprocess.PIPE, text=True, check=False)


def check(folder: Path, config: Path, job: Path, conf: Sequence[str], rel: float) -> int:
    """0 when the cluster's tables equal the embedded run's, 1 when they differ, else the exit code of the run that failed.

    Both lakes are begun anew: a lake of an earlier check would have nothing to do, and nothing would be checked.
    """

    def arguments(kind: str) -> list[str]:
        place = folder / kind
        return [str(config.resolve()), "--lake", str(place / "lake"), "--set", f"artifacts={place / 'artifacts'}", "--quiet"]

    start(folder)
    try:
        for kind in ("cluster", "embedded"):
            fresh(folder / kind)
        code = _told(submit(folder, job, arguments("cluster"), conf))
    finally:
        stop(folder)
    embedded = [sys.executable, "-m", "pipelines", "run", *arguments("embedded")]
    code = code or _told(subprocess.run(embedded, cwd=ROOT, stdout=subprocess.PIPE, text=True, check=False))
    if code:
        return code
    verdicts = compare_lakes.compare(folder / "cluster" / "lake", folder / "embedded" / "lake", rel)
    sys.stdout.write(compare_lakes.report(verdicts))
    return 1 if any(found.problem for found in verdicts) else 0


def fresh(folder: Path) -> None:
    """Makes the folder, empty but for a mark; removes an older one that has the mark. DependencyError where another holds files."""
    if folder.is_dir() and any(folder.iterdir()):
        if not (folder / MADE).is_file():
            raise DependencyError(
                f"{folder} must be new, empty or of an earlier `cluster check`; found files: move it, or name another --folder"
            )
        shutil.rmtree(folder)
    folder.mkdir(parents=True, exist_ok=True)
    (folder / MADE).touch()


def _told(answer: subprocess.CompletedProcess[str]) -> int:
    sys.stdout.write(answer.stdout)
    sys.stdout.flush()
    return answer.returncode


def parser() -> argparse.ArgumentParser:
    top = argparse.ArgumentParser(prog="scripts/cluster", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    commands = top.add_subparsers(dest="command", required=True, metavar="COMMAND")
    for name in ("start", "stop", "run", "check"):
        command = commands.add_parser(name)
        command.add_argument("--folder", type=Path, default=FOLDER, help="where logs, process ids and working folders are")
        if name in ("run", "check"):
            command.add_argument("--job", type=Path, default=make_dist.DIST / "jobs" / "run_pipeline.py", help="job file")
            command.add_argument("--conf", action="append", default=[], metavar="KEY=VALUE", help="as spark-submit takes it")
        if name == "run":
            command.add_argument("arguments", nargs="*", help="the job's own, after --")
        if name == "check":
            command.add_argument("config", type=Path, metavar="CONFIG")
            command.add_argument("--rel", type=float, default=compare_lakes.REL, help="largest relative difference of two floats")
    return top


def main(arguments: Sequence[str] | None = None) -> int:
    """The exit code of what was run; 69 when the cluster cannot be had."""
    options = parser().parse_args(arguments)
    folder = options.folder.resolve()
    try:
        if options.command == "start":
            sys.stdout.write(f"{start(folder).master}\n")
        elif options.command == "stop":
            stop(folder)
        elif options.command == "run":
            return _told(submit(folder, options.job.resolve(), options.arguments, options.conf))
        else:
            return check(folder, options.config, options.job.resolve(), options.conf, options.rel)
    except DependencyError as error:
        sys.stderr.write(f"cluster: {error}\n")
        return 69
    return 0


if __name__ == "__main__":
    sys.exit(main())
