"""How is a Spark session opened? In one place; what the operator set with --conf always wins."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from lake.jars import jars, java_options

if TYPE_CHECKING:
    from pyspark import SparkConf
    from pyspark.sql import SparkSession

ROOT = Path(__file__).resolve().parent.parent

# Needed wherever Assay runs.
REQUIRED = {
    "spark.sql.extensions": "io.delta.sql.DeltaSparkSessionExtension",
    "spark.sql.catalog.spark_catalog": "org.apache.spark.sql.delta.catalog.DeltaCatalog",
    "spark.sql.session.timeZone": "UTC",
    "spark.sql.execution.arrow.maxRecordsPerBatch": "64",  # the default of 10,000 rows is a gigabyte of pictures
    "spark.sql.execution.arrow.maxBytesPerBatch": "67108864",
    "spark.sql.parquet.columnarReaderBatchSize": "256",  # the default of 4,096 rows is 120 MB of pictures, 1.6 GB of patch vectors
    "spark.hadoop.parquet.block.size": "16777216",  # a row group is built and read whole: the default of 128 MB is held per task
    "spark.sql.execution.pyspark.udf.faulthandler.enabled": "true",
    "spark.python.worker.faulthandler.enabled": "true",
    "spark.python.worker.reuse": "true",  # models stay loaded between stages
    "spark.databricks.delta.schema.autoMerge.enabled": "false",
    "spark.databricks.delta.properties.defaults.enableDeletionVectors": "false",  # reader version 1 for every other reader
}

# Suits the small embedded session only (local master); a cluster's operator decides for himself. Figures: docs/decisions.
EMBEDDED = {
    "spark.databricks.delta.snapshotPartitions": "1",
    "spark.sql.shuffle.partitions": "4",
    "spark.ui.enabled": "false",
    "spark.ui.showConsoleProgress": "false",
    "spark.driver.memory": "2g",
    "spark.driver.host": "127.0.0.1",
    "spark.driver.bindAddress": "127.0.0.1",
    "spark.sql.sources.parallelPartitionDiscovery.threshold": "1000",
}


def open_session(name: str = "assay") -> SparkSession:
    """The session of this process: the one that spark-submit prepared, or an embedded one on all local cores.

    Under spark-submit (PYSPARK_GATEWAY_PORT is set) only what the operator left open is filled in.
    """
    from pyspark import SparkConf, SparkContext
    from pyspark.sql import SparkSession

    if active := SparkSession.getActiveSession():
        return active
    submitted = "PYSPARK_GATEWAY_PORT" in os.environ
    if submitted:
        # Joins the JVM that spark-submit started. Before that SparkConf() is empty, and ours would be set over the operator's.
        SparkContext.getSystemProperty("spark.master")
    conf = SparkConf() if submitted else _embedded_conf()
    for key, value in _defaults(conf.get("spark.master", "local[*]") or "local[*]").items():
        conf.setIfMissing(key, value)
    if not submitted:
        _prepare_environment()
    if submitted:  # spark-submit's --name stands
        if ROOT.is_dir():  # a checkout or an installation: workers import its rooms before any of the same name
            conf.setIfMissing("spark.executorEnv.PYTHONPATH", str(ROOT))
        # else the rooms came in an archive, and --py-files takes it to the workers
    else:
        conf.setAppName(name)
    return SparkSession.builder.config(conf=conf).getOrCreate()


def _defaults(master: str) -> dict[str, str]:
    return REQUIRED | (EMBEDDED if master.startswith("local") else {})


def _embedded_conf() -> SparkConf:
    from pyspark import SparkConf

    conf = SparkConf(loadDefaults=False)
    conf.setMaster(os.environ.get("ASSAY_MASTER", "local[*]"))
    conf.set("spark.jars", ",".join(str(jar) for jar in jars()))
    quiet = ROOT / "lake" / "log4j2.properties"  # inside an archive no JVM finds it: Spark's own logging then stays
    logging = [f"-Dlog4j2.configurationFile={quiet.as_uri()}"] if quiet.is_file() else []
    conf.set("spark.driver.extraJavaOptions", " ".join([*logging, *java_options()]))
    return conf


def _prepare_environment() -> None:
    os.environ.setdefault("SPARK_LOCAL_IP", "127.0.0.1")
    os.environ.setdefault("PYSPARK_PYTHON", sys.executable)
    os.environ.setdefault("PYSPARK_DRIVER_PYTHON", sys.executable)
    rooms = str(ROOT)
    paths = [path for path in os.environ.get("PYTHONPATH", "").split(os.pathsep) if path and path != rooms]
    os.environ["PYTHONPATH"] = os.pathsep.join([rooms, *paths])  # workers import the same rooms as the driver
