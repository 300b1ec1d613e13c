"""What do the conv nets see? The dataset's pictures, grey and 28 x 28, collected once and read by every task."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray
from PIL import Image

from models.atomic import write_file
from models.decode import DecodeLimits, decode
from models.provenance.trunk import SIDE

Grey = NDArray[np.uint8]
Corrupt = Callable[[NDArray[np.uint8], str, str, int], NDArray[np.uint8]]
"""(picture uint8[28, 28, 3], example_id, corruption, severity) -> the corrupted picture, of the same shape."""
TRAIN, META = "adapter_train", "meta"


@dataclass(frozen=True)
class Split:
    """Pictures uint8[n, 28, 28] in the order of their ids, int64[n] labels."""

    pictures: Grey
    labels: NDArray[np.int64]
    ids: tuple[str, ...]

    def pixels(self) -> NDArray[np.float32]:
        """float32[n, 28, 28] in 0..1."""
        return self.pictures.astype(np.float32) / 255.0

    def only(self, rows: NDArray[np.int64]) -> Split:
        return Split(self.pictures[rows], self.labels[rows], tuple(self.ids[row] for row in rows))


@dataclass(frozen=True)
class Pictures:
    """Both splits, and `meta` under each (corruption, severity). `store`: folder of networks that were trained on them; None: none is
    kept."""

    train: Split
    meta: Split
    shifted: dict[tuple[str, int], Grey]
    n_classes: int
    store: Path | None = None


@dataclass(frozen=True)
class Collecting:
    """Where the pictures go, how they are decoded, and how those of meta are corrupted."""

    path: Path
    limits: DecodeLimits
    n_classes: int
    cells: tuple[tuple[str, int], ...]
    corrupt: Corrupt


def grey(content: bytes, limits: DecodeLimits) -> Grey:
    """A picture file as uint8[28, 28]: luma (ITU-R 601), squeezed to a square where it is none, Pillow's bilinear filter."""
    picture = Image.fromarray(decode(content, limits).image).convert("L")
    return np.asarray(picture if picture.size == (SIDE, SIDE) else picture.resize((SIDE, SIDE), Image.Resampling.BILINEAR))


def collect(batches: Iterator[pa.RecordBatch], plan: Collecting) -> Iterator[pa.RecordBatch]:
    """Batches of (example_id, label_id, split, image) -> the file at `plan.path`, whole or not at all; gives the number of pictures."""
    rows: list[tuple[str, str, int, Grey]] = []
    for batch in batches:
        for example_id, label, split, image in zip(*(batch.column(name).to_pylist() for name in COLUMNS), strict=True):
            rows.append((split, example_id, label, grey(image, plan.limits)))
    rows.sort(key=lambda row: row[:2])
    arrays: dict[str, NDArray[np.generic]] = {"n_classes": np.asarray(plan.n_classes)}
    for split in (TRAIN, META):
        own = [row for row in rows if row[0] == split]
        arrays[f"{split}_ids"] = np.asarray([row[1] for row in own], dtype="U64")
        arrays[f"{split}_labels"] = np.asarray([row[2] for row in own], dtype=np.int64)
        arrays[f"{split}_pictures"] = np.stack([row[3] for row in own]) if own else np.zeros((0, SIDE, SIDE), dtype=np.uint8)
        if split == META:
            for name, severity in plan.cells:
                arrays[f"{name}|{severity}"] = _shifted([(row[1], row[3]) for row in own], name, severity, plan.corrupt)
    write_file(plan.path, lambda pending: _save(pending, arrays))
    yield pa.RecordBatch.from_pylist([{"n": len(rows)}], schema=COUNTED)


COLUMNS = ("example_id", "label_id", "split", "image")
COUNTED = pa.schema([("n", pa.int64())])


def load(path: Path) -> Pictures:
    """What `collect` wrote."""
    with np.load(path) as file:
        train, meta = (
            Split(file[f"{name}_pictures"], file[f"{name}_labels"], tuple(str(one) for one in file[f"{name}_ids"]))
            for name in (TRAIN, META)
        )
        shifted = {(name.split("|")[0], int(name.split("|")[1])): file[name] for name in file.files if "|" in name}
        return Pictures(train, meta, shifted, int(file["n_classes"]), path.parent / "networks")


def _shifted(rows: list[tuple[str, Grey]], name: str, severity: int, corrupt: Corrupt) -> Grey:
    made = [corrupt(np.repeat(picture[:, :, None], 3, axis=2), example_id, name, severity) for example_id, picture in rows]
    return np.stack([np.asarray(Image.fromarray(one).convert("L")) for one in made]) if made else np.zeros((0, SIDE, SIDE), dtype=np.uint8)


def _save(path: Path, arrays: dict[str, NDArray[np.generic]]) -> None:
    with path.open("wb") as file:
        np.savez(file, **arrays)  # type: ignore[arg-type]  # numpy's stub takes the names for its own keyword
