"""How does a row get a lake with examples in it, in this process, through the same steps as `assay run`?"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import yaml

from lake.door import Lake
from lake.session import open_session
from pipelines.config import Config, load_config
from pipelines.run import Pipeline

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

# Learners and resamples as small as they go: no row is about their size.
GOLD = {
    "n_folds": 2, "permutation_repeats": 1, "bootstrap_resamples": 20, "min_n": 3,
    "forest": {"trees": 4}, "boost": {"trees": 4}, "boost_tuned": {"trees": 4},
}  # fmt: skip
FORECAST = {"protocols": ["grouped"], "n_folds": 2, "resamples": 20, "boosted": {"trees": 4}}


def write_config(path: Path, pictures: Path, backbone: Path, **more: Any) -> Path:
    """A configuration on a folder of pictures and a backbone folder; `more` are further top-level keys."""
    tree = {"dataset": "bench", "source": {"reader": "folder", "root": str(pictures)}, "backbone": {"name": str(backbone)}}
    tree |= {"gold": GOLD, "forecast": FORECAST}
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(yaml.safe_dump(tree | more), encoding="utf-8")
    return path


def session() -> SparkSession:
    """The embedded session, as `assay run` opens it."""
    return open_session("assay-bench")


def pipeline_on(root: Path, config: Config | Path, run_id: str = "bench") -> Pipeline:
    """A run's pipeline on the lake at `root`, on this process's session."""
    loaded = load_config(config) if isinstance(config, Path) else config
    return Pipeline(Lake(session(), str(root), run_id, loaded.sha256), loaded)
