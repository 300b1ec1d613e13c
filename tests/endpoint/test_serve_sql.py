"""Can a JDBC client ask a lake that `assay serve-sql` serves, can it do no harm by name, and is nothing left when the server stops?"""

from __future__ import annotations

import csv
import io
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pyspark
import pytest

from bronze.specs import REJECTED
from gold.tables.degradation import SPEC as DEGRADATION
from pipelines.sql.serve import REFRESH_SECONDS
from silver.specs import PREDICTIONS
from tests.conftest import Built
from tests.lakes import files_of, stored, table_folder

pytestmark = [pytest.mark.spark, pytest.mark.slow]
ROOT = Path(__file__).resolve().parents[2]
READY_SECONDS = 180

# One session of one client. The table `bronze.rejected` is not in the lake when the server starts.
STATEMENTS = (
    "SELECT 'table', COUNT(*) FROM silver.predictions",
    "SELECT 'view', COUNT(*) FROM silver.predictions_current",
    "DESCRIBE gold.degradation",
    "DESCRIBE EXTENDED gold.degradation",
    "DESCRIBE EXTENDED silver.predictions_current",
    "SELECT 'refused', COUNT(*) FROM bronze.rejected",
    "INSERT INTO gold.degradation SELECT * FROM gold.degradation",
    "DELETE FROM silver.predictions WHERE true",
    "TRUNCATE TABLE silver.predictions",
    "CREATE TABLE scratch AS SELECT 1 AS a",
    "SELECT 'after', COUNT(*) FROM silver.predictions",
    "DROP TABLE silver.predictions",
)


@dataclass(frozen=True)
class Session:
    """What one server and one client did: the client's two streams, the codes of a second server and of the first, and what was left."""

    out: str
    err: str
    address: str
    second_code: int
    second_err: str
    seconds_to_stop: float
    code: int
    stdout: str
    java_left: bool
    files_left: list[str]
    lake_changed: bool


def serve(lake: Path, temp: Path, port: str) -> subprocess.Popen[str]:
    """A server whose Python, JVM and working folder are all `temp`, so that whatever it leaves lies there."""
    java = f"-Djava.io.tmpdir={temp}"
    environment = os.environ | {"PYTHONPATH": str(ROOT), "TMPDIR": str(temp), "JAVA_TOOL_OPTIONS": java, "ASSAY_MASTER": "local[2]"}
    command = [sys.executable, "-m", "pipelines", "serve-sql", "--lake", str(lake), "--port", port]
    return subprocess.Popen(command, cwd=temp, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def beeline(address: str, folder: Path) -> subprocess.CompletedProcess[str]:
    """The client that pyspark ships, with its own words left out of the answers."""
    script = folder / "statements.sql"
    script.write_text("".join(f"{statement};\n" for statement in STATEMENTS))
    launcher = Path(pyspark.__file__).parent / "bin" / "spark-class"
    options = ["-u", address, "-n", "anybody", "--force=true", "--silent=true", "--outputformat=csv2", "-f", str(script)]
    command = [str(launcher), "org.apache.hive.beeline.BeeLine", *options]
    environment = os.environ | {"SPARK_LOCAL_IP": "127.0.0.1", "JAVA_TOOL_OPTIONS": "-XX:TieredStopAtLevel=1 -XX:+UseSerialGC"}
    return subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, timeout=READY_SECONDS, check=False)


def children(process: int) -> list[int]:
    found = Path(f"/proc/{process}/task/{process}/children").read_text().split()
    return [int(number) for number in found]


def alive(process: int) -> bool:
    return Path(f"/proc/{process}").exists()


@pytest.fixture(scope="module")
def session(built: Built, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Session]:
    folder, temp = tmp_path_factory.mktemp("client"), tmp_path_factory.mktemp("temp")
    lake = Path(shutil.copytree(built.root, folder / "lake ü # 5%"))
    shutil.move(table_folder(lake, REJECTED), folder / "rejected")
    server = serve(lake, temp, "0")
    try:
        address = server.stdout.readline().strip() if server.stdout else ""
        java = children(server.pid)
        shutil.move(folder / "rejected", table_folder(lake, REJECTED))
        before, moved = files_of(lake), time.monotonic()
        second = subprocess.run(
            [sys.executable, "-m", "pipelines", "serve-sql", "--lake", str(lake), "--port", address.strip("/").rpartition(":")[2]],
            env=os.environ | {"PYTHONPATH": str(ROOT)}, capture_output=True, text=True, timeout=60, check=False,
        )  # fmt: skip
        time.sleep(max(0.0, moved + REFRESH_SECONDS + 2 - time.monotonic()))
        client = beeline(address, folder)
        after = files_of(lake)
        started = time.monotonic()
        server.send_signal(signal.SIGTERM)
        stdout, _ = server.communicate(timeout=60)
        yield Session(
            client.stdout, client.stderr, address, second.returncode, second.stderr, time.monotonic() - started, server.returncode, stdout,
            any(map(alive, java)) or not java, sorted(path.name for path in temp.iterdir()), before != after,
        )  # fmt: skip
    finally:
        server.kill()
        server.wait()


def answers(session: Session) -> dict[str, str]:
    rows = list(csv.reader(io.StringIO(session.out)))
    return {row[0]: row[1] for row in rows if len(row) == 2}


def test_a_table_and_a_view_answer_with_their_rows(session: Session, built: Built) -> None:
    assert session.address.startswith("jdbc:hive2://127.0.0.1:")
    n_rows = str(stored(built.root, PREDICTIONS).num_rows)
    assert (answers(session)["table"], answers(session)["view"]) == (n_rows, n_rows), session.err  # one generation: the view shows all


def test_comments_of_tables_views_and_columns_can_be_read(session: Session) -> None:
    assert DEGRADATION.comment in session.out
    assert next(column.comment for column in DEGRADATION.columns if column.name == "drop_from_clean") in session.out
    assert "only the newest complete settings_id" in session.out


def test_a_table_that_came_into_the_lake_later_answers_too(session: Session, built: Built) -> None:
    assert answers(session)["refused"] == str(stored(built.root, REJECTED).num_rows)


def test_no_statement_by_name_changes_the_lake(session: Session, built: Built) -> None:
    # INSERT, DELETE and TRUNCATE meet a view; CREATE TABLE goes into the server's own folder; DROP takes away the name alone.
    assert not session.lake_changed
    assert answers(session)["after"] == answers(session)["table"]
    refused = [line for line in session.err.splitlines() if line.startswith("Error:")]
    assert len(refused) == 3, session.err


def test_a_second_server_on_the_port_says_so_at_once(session: Session) -> None:
    assert session.second_code == 69
    assert "must be free" in session.second_err and "--port" in session.second_err and "Traceback" not in session.second_err


def test_a_server_that_is_told_to_stop_leaves_nothing(session: Session) -> None:
    assert session.code == 143
    assert session.stdout == ""  # the one line was the address
    assert not session.java_left
    assert session.files_left == []
    assert session.seconds_to_stop < 20
