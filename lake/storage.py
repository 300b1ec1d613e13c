"""What stands in the lake's folder? Names, small files and deletions through Hadoop's file system, so that object stores work too."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any, cast

if TYPE_CHECKING:
    from pyspark.sql import SparkSession


class Storage:
    """A folder or object-store prefix. Local paths are made absolute; `root` has no trailing slash."""

    def __init__(self, spark: SparkSession, root: str) -> None:
        local = "://" not in root
        self.root = (os.path.abspath(root) if local else root).rstrip("/")
        self._jvm = cast(Any, spark._jvm)
        self._path = self._jvm.org.apache.hadoop.fs.Path
        self._fs = self._path(self.root).getFileSystem(spark.sparkContext._jsc.hadoopConfiguration())

        # Small files are replaced while others read them, and a killed run leaves half of one. Hadoop's local file system keeps a
        # checksum beside each file, which would then fit no longer: they go past it.
        self._small = self._fs.getRawFileSystem() if self._fs.getScheme() == "file" else self._fs

    def names(self, path: str) -> list[str]:
        """Names directly below a folder, sorted; empty when it is not there."""
        folder = self._path(path)
        if not self._fs.exists(folder):
            return []
        return sorted(status.getPath().getName() for status in self._fs.listStatus(folder))

    def delete(self, path: str) -> None:
        """Removes a folder and everything below it; nothing happens when it is not there."""
        self._fs.delete(self._path(path), True)

    def read_text(self, path: str) -> str | None:
        """A small text file, None when it is not there."""
        where = self._path(path)
        if not self._fs.exists(where):
            return None
        stream = self._small.open(where)
        try:
            return str(self._jvm.org.apache.commons.io.IOUtils.toString(stream, "UTF-8"))
        finally:
            stream.close()

    def write_text(self, path: str, text: str, overwrite: bool = True) -> bool:
        """Writes a small text file; False when it is there already and `overwrite` is False."""
        from py4j.protocol import Py4JJavaError

        try:
            stream = self._small.create(self._path(path), overwrite)
        except Py4JJavaError as error:
            if "FileAlreadyExists" in str(error.java_exception.getClass().getName()):
                return False
            raise
        try:
            stream.write(bytearray(text.encode()))
        finally:
            stream.close()
        return True
