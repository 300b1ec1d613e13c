"""What do the tests of the whole engine run on? A small real source with bad pictures, small adapters with bad ones, one configuration."""

from __future__ import annotations

import io
import json
import shutil
from pathlib import Path
from typing import Any

import pyarrow as pa
import yaml
from deltalake import DeltaTable
from PIL import Image
from sklearn.datasets import load_digits

from lake.local_files import local_dataset
from lake.spec import Table
from models.decode import encode_png
from pipelines.config import Config, load_config
from pipelines.tables import TABLES
from tests.adapter_folders import edit_tensors

DIGITS = tuple(str(number) for number in range(10))
N_DIGITS = 120
N_EXAMPLES = N_DIGITS - 1  # one content stands under two labels and makes no example
REJECTED_PICTURES = {
    "0/corrupt.jpg": "decode_error",
    "1/truncated.jpg": "truncated",
    "2/empty.png": "decode_error",
    "3/digit-003.png": "label_conflict",
    "4/same-as-a-three.png": "label_conflict",
}
IGNORED = 1  # notes.txt
RECIPES: tuple[dict[str, Any], ...] = (
    {"name": "r2-s0", "rank": 2, "seed": 0},
    {"name": "r2-s1", "rank": 2, "seed": 1},
)
THIRD: dict[str, Any] = {"name": "r3-s0", "rank": 3, "seed": 0}
# Folder of foreign adapters -> code in silver.adapters.reason.
REJECTED_ADAPTERS = {
    "pickled": "pickle",
    "truncated": "bad_safetensors",
    "wrong-size": "tensor_mismatch",
    "other-labels": "label_mismatch",
}
GOOD_FOREIGN = "scaled"
SAME_FOREIGN = "same"  # the files of the first recipe's adapter again, without its manifest
# Meta-stage work and bookkeeping differ in these by design: they say how the work went, not what came out.
NOT_COMPARED = ("audit.runs", "audit.quality")


def make_source(root: Path) -> Path:
    """120 digits as PNG in class folders, and one of each fault that a folder can have."""
    found = load_digits()
    contents = {}
    for number in range(N_DIGITS):
        label = str(found.target[number])
        content = encode_png((found.images[number] * 255 / 16).round().astype("uint8"))
        contents[f"{label}/digit-{number:03}.png"] = content
    contents["5/copy-of-five.png"] = contents["5/digit-005.png"]
    contents["4/same-as-a-three.png"] = contents["3/digit-003.png"]
    contents["0/corrupt.jpg"] = b"this is no picture"
    contents["1/truncated.jpg"] = _jpeg()[:-200]
    contents["2/empty.png"] = b""
    contents["notes.txt"] = b"not a picture, and nobody says it is"
    for name, content in contents.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
    return root


def _jpeg() -> bytes:
    buffer = io.BytesIO()
    Image.effect_noise((64, 64), 60).save(buffer, "JPEG")
    return buffer.getvalue()


def make_foreign(root: Path, trained: Path) -> Path:
    """Folders of adapters made elsewhere, from a trained one: two good, four bad."""

    def copy(name: str) -> Path:
        folder = Path(shutil.copytree(trained, root / name))
        labels = json.loads((folder / "manifest.json").read_text())["labels"]
        (folder / "manifest.json").unlink()
        (folder / "config.json").write_text(json.dumps({"id2label": {str(row): label for row, label in enumerate(labels)}}))
        return folder

    copy(SAME_FOREIGN)
    edit_tensors(copy(GOOD_FOREIGN), lambda tensors: {name: 1.5 * t if "lora_B" in name else t for name, t in tensors.items()})
    pickled = copy("pickled") / "adapter_model.safetensors"
    pickled.rename(pickled.with_name("adapter_model.bin"))
    truncated = copy("truncated") / "adapter_model.safetensors"
    truncated.write_bytes(truncated.read_bytes()[:-10])
    edit_tensors(copy("wrong-size"), lambda tensors: {n: t[..., :-1] if "lora_A" in n else t for n, t in tensors.items()})
    other = copy("other-labels") / "config.json"
    other.write_text(json.dumps({"id2label": {str(row): f"class-{row}" for row in range(10)}}))
    return root


def settings(source: Path, foreign: Path | None, recipes: tuple[dict[str, Any], ...] = RECIPES) -> dict[str, Any]:
    """The configuration as it stands in a YAML file: everything as small as it can be, silver and ood in two chunks."""
    return {
        "dataset": "small",
        "source": {"reader": "folder", "root": str(source)},
        "splits": {"adapter_train": 0.5, "adapter_val": 0.15, "meta": 0.35, "seed": 1},
        "backbone": {
            "pretrain": {"name": "tiny", "width": 32, "depth": 2, "heads": 2, "epochs": 4},
            "pretrain_labels": ["0", "1", "2", "3", "4", "5"],
        },
        "embeddings": {"dtype": "float32", "batch_size": 16},
        "scoring": {"dtype": "float32", "batch_size": 16},
        "adapters": {
            "defaults": {"epochs": 2, "batch_size": 16, "accumulation": 1, "learning_rate": 3.0e-3},
            "recipes": list(recipes),
            "folders": [str(foreign)] if foreign else [],
        },
        "explanations": {"groups": [{"preset": "default", "controls": ["random", "reverse"]}, {"preset": "ki", "controls": []}]},
        "corruptions": {"names": ["ki_contrast", "ki_gaussian_noise"]},
        "gold": {
            "n_folds": 2, "permutation_repeats": 1, "bootstrap_resamples": 20, "min_n": 3,
            "forest": {"trees": 4}, "boost": {"trees": 4}, "boost_tuned": {"trees": 4},
        },
        "forecast": {
            "protocols": ["grouped", "leave_adapter_out"], "n_folds": 2, "resamples": 20, "boosted": {"trees": 4, "patience": 2},
            "neighbours": 3, "components": 8,
        },
        "execution": {"chunk_rows": 420, "max_rejected_share": 0.5},
    }  # fmt: skip


def write_config(path: Path, tree: dict[str, Any]) -> Path:
    path.write_text(yaml.safe_dump(tree))
    return path


def config_of(path: Path, tree: dict[str, Any]) -> Config:
    return load_config(write_config(path, tree))


def table_folder(root: Path, table: Table) -> Path:
    return root / table.layer / table.name


def stored(root: Path, table: Table) -> pa.Table:
    """A table as every reader without Spark sees it."""
    folder = str(table_folder(root, table))
    return local_dataset(DeltaTable(folder), folder).to_table()


def rows_of(root: Path, table: Table) -> list[dict[str, Any]]:
    """The stable columns of a table as rows in key order: what equal runs must write equally."""
    found = stored(root, table).select(list(table.stable_columns)).to_pylist()
    return sorted(found, key=lambda row: tuple(str(row.get(name)) for name in table.key))


def present(root: Path) -> tuple[Table, ...]:
    return tuple(table for table in TABLES if (table_folder(root, table) / "_delta_log").is_dir())


def versions(root: Path) -> dict[str, int]:
    return {table.full_name: DeltaTable(str(table_folder(root, table))).version() for table in present(root)}


def files_of(root: Path) -> dict[str, tuple[int, int]]:
    """Every file below a lake but its lease and the checksums beside it: path -> (bytes, time of change in ns)."""
    paths = (path for path in root.rglob("*") if path.is_file() and "_lease" not in path.name)
    return {str(path.relative_to(root)): (path.stat().st_size, path.stat().st_mtime_ns) for path in paths}


def actions(root: Path, table: Table, since: int = -1) -> list[dict[str, Any]]:
    """The actions in the log of a table behind one version."""
    logs = sorted((table_folder(root, table) / "_delta_log").glob("*.json"))
    return [json.loads(line) for log in logs if int(log.stem) > since for line in log.read_text().splitlines()]
