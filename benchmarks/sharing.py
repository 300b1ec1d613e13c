"""What does it save to decode and corrupt a picture once for all adapters, instead of once per adapter?

Both ways go through `ood.score.expose`: one call with all adapters on the work list, or one call per adapter. Scorers are loaded
and warm, the float32 work on a picture is the same, so the difference is decoding, corrupting and the clean forward's preparation.
"""

from __future__ import annotations

import shutil
import statistics
from collections.abc import Iterable, Mapping
from pathlib import Path

import pyarrow as pa
import torch
from safetensors.torch import save_file

from benchmarks.material import BASE, LABELS, SMALL, TINY, backbone_folder, pictures, size_text
from benchmarks.row import Row
from benchmarks.timing import in_turns, ratio
from lake.identity import content_id
from lake.rows import Identity
from models.backbone import Backbone, classifier_state, new_head
from models.decode import DecodeLimits
from models.dtype import resolve_dtype
from models.images import preprocessing_of
from models.scoring import ScoredAdapter, Scoring
from ood.picture_shifts import PictureShifts
from ood.score import Exposure, expose
from ood.settings import CorruptionSettings

WHAT = "{adapters} adapters x {cells} cells from one decoded and corrupted picture"
FIGURE = "speed-up against decoding and corrupting per adapter, {size}"


def measure(folder: Path, quick: bool) -> list[Row]:
    """One row at DINOv2-base size, where the forwards dominate, and one at the demo's size, where they do not."""
    if quick:
        return [_row(folder, "tiny", TINY, adapters=2, count=2, batch_size=2, rounds=1)]
    return [
        _row(folder, "base", BASE, adapters=12, count=16, batch_size=8, rounds=1),
        _row(folder, "small", SMALL, adapters=12, count=64, batch_size=64, rounds=5),
    ]


def _row(folder: Path, name: str, size: dict[str, int], adapters: int, count: int, batch_size: int, rounds: int) -> Row:
    plan = _plan(folder, backbone_folder(folder / name, size), adapters, batch_size)
    contents, together = pictures(count), range(len(plan.identity.variants))
    apart = [[index for index in together if plan.identity.variants[index]["adapter_id"] == a.adapter_id] for a in plan.adapters]
    ways = {
        "once": lambda: _expose(contents, [list(together)], plan),
        "per_adapter": lambda: _expose(contents, apart, plan),
    }
    _expose(contents, [[indices[0] for indices in apart]], plan)  # one cell each: loads every scorer
    times = in_turns(ways, rounds)
    cells = len(together) // adapters
    medians = {f"{way}_seconds": round(statistics.median(values), 3) for way, values in times.items()}
    saved = 1 - statistics.median(times["once"]) / statistics.median(times["per_adapter"])
    shutil.rmtree(folder / f"merged-{name}", ignore_errors=True)
    return Row(
        WHAT.format(adapters=adapters, cells=cells),
        FIGURE.format(size=size_text(size)),
        ratio(times["per_adapter"], times["once"]),
        "x",
        "stated",
        None,
        {"pictures": count, "dtype": plan.scoring.dtype, "forwards": adapters * cells * count, "saved_share": round(saved, 3), **medians},
        "the forwards, which both ways do alike; weights of twelve adapters in turns leave the cache, those of one stay",
    )


def _plan(folder: Path, backbone: Backbone, adapters: int, batch_size: int) -> Exposure:
    scored = tuple(_merged(folder / f"merged-{_size_name(backbone)}", backbone, number) for number in range(adapters))
    scoring = Scoring(backbone, preprocessing_of(backbone.folder), DecodeLimits(), resolve_dtype("auto"), batch_size, 8 << 30)
    corruptions = CorruptionSettings()  # KI's nine and the clean one
    variants: tuple[Mapping[str, str | int], ...] = tuple(
        {"adapter_id": adapter.adapter_id, "corruption": corruption, "severity": severity}
        for adapter in scored
        for corruption, severity in corruptions.cells()
    )
    return Exposure(scoring, scored, PictureShifts(scoring, corruptions), Identity("bench", "0" * 16, variants))


def _size_name(backbone: Backbone) -> str:
    """The folder's last component, which is the size's name."""
    return backbone.folder.name


def _merged(folder: Path, backbone: Backbone, number: int) -> ScoredAdapter:
    """An adapter as workers get it: every query, value, fc1 and fc2 matrix of its own (here the backbone's, moved), and a head."""
    path = folder / f"{number:03}.safetensors"
    if not path.is_file():
        folder.mkdir(parents=True, exist_ok=True)
        roles = ("q_proj.weight", "v_proj.weight", "fc1.weight", "fc2.weight")
        state = {name: tensor * (1 + 0.01 * number) for name, tensor in classifier_state(backbone).items() if name.endswith(roles)}
        head = new_head(2 * backbone.hidden_size, len(LABELS), number, 0.02)
        save_file({**state, "classifier.weight": head.weight.detach(), "classifier.bias": torch.zeros(len(LABELS))}, path)
    return ScoredAdapter(f"adapter-{number}", str(path), tuple(range(len(LABELS))))


def _expose(contents: list[bytes], todo: Iterable[list[int]], plan: Exposure) -> int:
    """Rows made: one call of the verb per list of work."""
    return sum(batch.num_rows for indices in todo for batch in expose(iter([_batch(contents, indices)]), plan))


def _batch(contents: list[bytes], todo: list[int]) -> pa.RecordBatch:
    ids = [content_id("image", content) for content in contents]
    columns = {"example_id": ids, "label_id": [0] * len(ids), "image": contents, "todo": [todo] * len(ids)}
    types = [("example_id", pa.string()), ("label_id", pa.int32()), ("image", pa.binary()), ("todo", pa.list_(pa.int32()))]
    return pa.RecordBatch.from_pydict(columns, schema=pa.schema(types))
