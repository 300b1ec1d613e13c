"""Can the driver's JVM start without loading its classes from jars again? Yes: this records one short session into a class archive.

Opt out with ASSAY_CLASS_ARCHIVE=0. The archive only saves time: without it, or with one that does not fit, everything works the same.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
from importlib.util import find_spec
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from lake.jars import ARCHIVE, jars_folder  # the rooms are found from here

ARCHIVE_SECONDS = 120  # writing takes 7-14 s; a JVM that needs longer is left to itself and its archive is not used


def train(folder: Path) -> bool:
    """One session as a stage uses it: Arrow through a Python worker, Delta write, MERGE, CHECK, read. True when its JVM has ended."""
    from lake.session import open_session

    spark = open_session("class-archive")
    gateway = spark.sparkContext._gateway
    if gateway is None:
        raise RuntimeError("the session must have been started by this process; it has no gateway of its own")
    table = f"delta.`{folder / 'table'}`"
    spark.sql(f"CREATE TABLE {table} (id bigint NOT NULL, part string) USING delta PARTITIONED BY (part)")
    frame = spark.range(8).selectExpr("id", "cast(id % 2 as string) AS part").mapInArrow(lambda batches: batches, "id bigint, part string")
    frame.write.format("delta").mode("append").save(str(folder / "table"))
    frame.createOrReplaceTempView("arrived")
    spark.sql(f"MERGE INTO {table} t USING arrived s ON t.id = s.id AND t.part = s.part WHEN NOT MATCHED THEN INSERT *")
    spark.sql(f"ALTER TABLE {table} ADD CONSTRAINT id_range CHECK (id >= 0)")
    spark.read.format("delta").load(str(folder / "table")).groupBy("part").count().orderBy("part").toArrow()
    spark.stop()
    gateway.shutdown()
    gateway.proc.stdin.close()  # the JVM ends with its standard input, and writes the archive as it ends
    try:
        gateway.proc.wait(ARCHIVE_SECONDS)
    except subprocess.TimeoutExpired:
        return False
    return True


def is_current(archive: Path) -> bool:
    """True when the archive was recorded after pyspark's jars came: the JVM would refuse one of other jars, silently."""
    spec = find_spec("pyspark")
    if spec is None or spec.origin is None:
        return False
    return archive.is_file() and archive.stat().st_mtime >= (Path(spec.origin).parent / "jars").stat().st_mtime


def main() -> int:
    """0 when the archive is there or not wanted ($ASSAY_JARS may be read-only). A session that fails raises: no other would work."""
    target = jars_folder().resolve() / ARCHIVE
    if is_current(target) or os.environ.get("ASSAY_JARS") or os.environ.get("ASSAY_CLASS_ARCHIVE") == "0":
        return 0
    with tempfile.TemporaryDirectory(prefix="assay-classes-") as name:
        recorded = Path(name) / ARCHIVE
        os.environ["ASSAY_ARCHIVE_CLASSES_TO"] = str(recorded)
        if train(Path(name)) and recorded.is_file():
            arrived = target.with_suffix(".part")
            shutil.move(recorded, arrived)  # may cross file systems; the rename below may not
            os.replace(arrived, target)
    return 0


if __name__ == "__main__":
    sys.exit(main())
