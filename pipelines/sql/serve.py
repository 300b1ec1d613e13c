"""How do people with a JDBC or ODBC client ask the lake? Through Spark's Thrift server, every table and view by name, until stopped."""

from __future__ import annotations

import signal
import sys
import threading
from ipaddress import ip_address
from pathlib import Path
from tempfile import TemporaryDirectory
from types import FrameType
from typing import TYPE_CHECKING, TextIO

from lake.catalog import publish
from lake.jars import DependencyError
from lake.progress import Progress
from lake.session import open_session
from pipelines.exits import TERMINATED
from pipelines.rooms import own_rooms
from pipelines.sql.endpoint import address, end, free_port, prepare, process, start, stop
from pipelines.sql.on_spark import open_lake
from pipelines.tables import TABLES, VIEWS

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

REFRESH_SECONDS = 5.0  # how long a table that is new in the lake may be unknown to the server


def serve(lake_root: str, host: str, port: int, stream: TextIO) -> int:
    """Serves the lake on host:port (port 0: any free one); writes the JDBC address on `stream` when everything can be asked.

    Gives 0 after SIGINT, 143 after SIGTERM, when the JVM and all temporary files are gone. Raises MissingInputError when there is no
    lake, DependencyError when the port is taken or the JVM ends by itself.
    """
    own_rooms()
    root = lake_root if "://" in lake_root else str(Path(lake_root).resolve())
    port = free_port(host, port)
    _require(root)
    with TemporaryDirectory(prefix="assay-serve-sql-") as name:
        folder = Path(name)
        prepare(folder)
        try:
            return _served(root, host, port, folder, stream)
        finally:
            end(process())


def _require(root: str) -> None:
    """Looks for the lake before the JVM is started, where that can be done without one."""
    if "://" not in root:
        from pipelines.sql.answer import require_lake
        from pipelines.sql.duck import exists, lake_format

        require_lake(root, lambda table: exists(root, table))
        lake_format(root)


def _served(root: str, host: str, port: int, folder: Path, stream: TextIO) -> int:
    with Progress(f"opening {root}"):
        spark = open_session("assay-serve-sql")
        open_lake(spark, root)
        names = publish(spark, root, TABLES, VIEWS, str(folder))
        server = start(spark, host, port, folder)
    try:
        stopping = _Stopping()
        _announce(root, host, port, len(names), stream)
        while not stopping.asked.wait(REFRESH_SECONDS):
            _refresh(spark, root, folder)
        return stopping.code
    finally:
        stop(spark, server)


class _Stopping:
    """From now on a signal asks to stop instead of raising: a call into the JVM is never left half read."""

    def __init__(self) -> None:
        self.asked, self.code = threading.Event(), 0
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, self._asked)

    def _asked(self, number: int, frame: FrameType | None) -> None:
        self.code = TERMINATED if number == signal.SIGTERM else 0
        self.asked.set()


def _refresh(spark: SparkSession, root: str, folder: Path) -> None:
    """Registers tables that have come into the lake, and names that somebody dropped; new rows are seen by every query as it is."""
    java = process()
    if java is not None and java.poll() is not None:
        raise DependencyError(f"Spark's JVM must live as long as the server, found it ended with code {java.returncode}; start again")
    publish(spark, root, TABLES, VIEWS, str(folder))


def _announce(root: str, host: str, port: int, n_names: int, stream: TextIO) -> None:
    if not _loopback(host):
        sys.stderr.write(f"assay: whoever reaches {host}:{port} can read this lake and act as this account: there is no password\n")
    sys.stderr.write(f"assay: {n_names} tables and views of {root}; stop with Ctrl-C or SIGTERM\n")
    stream.write(f"{address(host, port)}\n")
    stream.flush()


def _loopback(host: str) -> bool:
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
