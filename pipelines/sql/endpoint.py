"""How does Spark's Thrift server start and stop inside this process's session, with all it writes in one folder?"""

from __future__ import annotations

import errno
import os
import shlex
import socket
import subprocess
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

from lake.errors import ConfigError
from lake.jars import DependencyError, jars

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

STOP_SECONDS = 20.0
OVERRIDES = "HIVE_SERVER2_"  # environment variables that Hive obeys before any setting: host and port among them


def free_port(host: str, port: int) -> int:
    """The port itself, or any free one for 0. Raises DependencyError when it is taken, ConfigError for no port and no host of ours."""
    ours = f"--host must be a name or address of this machine, found {host!r}"
    if not host.strip():
        raise ConfigError(f"{ours}: write 127.0.0.1, or leave it out")
    if not 0 <= port <= 65535:
        raise ConfigError(f"--port must be 0 to 65535, found {port}")
    try:
        family, kind, _, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
    except (socket.gaierror, UnicodeError) as error:  # UnicodeError: a part longer than names can be
        raise ConfigError(f"{ours}: {getattr(error, 'strerror', None) or error}") from error
    with socket.socket(family, kind) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)  # what a server left a moment ago is free
        try:
            probe.bind(address)
        except OSError as error:
            if error.errno == errno.EADDRNOTAVAIL:
                raise ConfigError(f"{ours}: {error.strerror}") from error
            raise DependencyError(
                f"port {port} on {host} must be free, found: {error.strerror}. Stop what listens there, or choose another --port (0: any)"
            ) from error
        return int(probe.getsockname()[1])


def address(host: str, port: int) -> str:
    """What a JDBC client connects to."""
    return f"jdbc:hive2://{f'[{host}]' if ':' in host else host}:{port}/"


def prepare(folder: Path) -> None:
    """Must be called before the session is opened. What people CREATE without a place goes into `folder`, not where we were started.

    The server's threads find classes on the JVM's own path alone: without Delta there each connection ends with ClassNotFoundException.
    Under spark-submit both are the operator's. Raises DependencyError when the jars are not there, ConfigError as `_only_our_host`.
    """
    _only_our_host()
    given = os.environ.get("PYSPARK_SUBMIT_ARGS", "pyspark-shell")
    classes = os.pathsep.join(str(jar) for jar in jars())
    options = ("--driver-class-path", classes, "--conf", f"spark.sql.warehouse.dir={folder}/warehouse")
    os.environ["PYSPARK_SUBMIT_ARGS"] = f"{shlex.join(options)} {given}"


def _only_our_host() -> None:
    """Takes Hive's variables out of the environment that the JVM inherits: HIVE_SERVER2_THRIFT_BIND_HOST=0.0.0.0 would open the server to
    all networks while we announce the loopback. Raises ConfigError under spark-submit, whose JVM has read them."""
    found = sorted(name for name in os.environ if name.startswith(OVERRIDES))
    if found and "PYSPARK_GATEWAY_PORT" in os.environ:
        names = ", ".join(found)
        raise ConfigError(f"no {OVERRIDES}* may be set, for it overrides --host and --port; found {names}: unset it before spark-submit")
    for name in found:
        del os.environ[name]


def start(spark: SparkSession, host: str, port: int, folder: Path) -> Any:
    """Starts the server (a JVM HiveThriftServer2) on this session's catalog. Its scratch files go into `folder`.

    Each connection has settings of its own. Spark's metastore for it is an in-memory Derby: two servers do not meet. Raises
    DependencyError when the port was taken meanwhile.
    """
    from py4j.protocol import Py4JJavaError

    jvm: Any = spark._jvm
    jvm.java.lang.System.setProperty("derby.stream.error.file", str(folder / "derby.log"))
    for name, value in _settings(host, port, folder).items():
        spark.conf.set(name, value)
    try:
        return jvm.org.apache.spark.sql.hive.thriftserver.HiveThriftServer2.startWithSparkSession(spark._jsparkSession, False)
    except Py4JJavaError as error:
        raise DependencyError(f"the Thrift server must start on {host}:{port}, found: {error.java_exception.getMessage()}") from error


def _settings(host: str, port: int, folder: Path) -> dict[str, str]:
    return {
        "hive.server2.thrift.bind.host": host,
        "hive.server2.thrift.port": str(port),
        "hive.exec.scratchdir": f"{folder}/scratch",
        "hive.exec.local.scratchdir": f"{folder}/local",
        "hive.downloaded.resources.dir": f"{folder}/resources",
        "hive.server2.logging.operation.log.location": f"{folder}/operations",
    }


def process() -> subprocess.Popen[bytes] | None:
    """The JVM behind the session, where this process started it (under spark-submit it is the other way round)."""
    from pyspark import SparkContext

    found = getattr(SparkContext._gateway, "proc", None)
    return found if isinstance(found, subprocess.Popen) else None


def stop(spark: SparkSession, server: Any) -> None:
    """Ends server, session and JVM, also a JVM that a signal to the whole group has ended already. Returns when it is gone."""
    from py4j.protocol import Py4JError

    with suppress(Py4JError, OSError):
        server.stop()
        spark.stop()
    end(process())


def end(java: subprocess.Popen[bytes] | None) -> None:
    """Closes the pipe whose end tells the JVM to go; kills it when it has not gone in time."""
    if java is None:
        return
    if java.stdin is not None:
        java.stdin.close()
    try:
        java.wait(STOP_SECONDS)
    except subprocess.TimeoutExpired:
        java.kill()
        java.wait()
