"""The rows of a GPU, computed on the CPU in the GPU's place: every figure is there and is of what it says."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from types import ModuleType, SimpleNamespace

import pytest
import torch

from benchmarks import gpu, gpu_pictures, gpu_texts, poking
from models import scorer


@pytest.fixture
def pretended(monkeypatch: pytest.MonkeyPatch) -> None:
    """A card that is the CPU: full from 16 pictures on, with the two kernels that CPUs have."""
    for module in (gpu, gpu_texts):
        monkeypatch.setattr(module, "DEVICE", "cpu")
    monkeypatch.setattr(gpu, "GEMM", 64)
    monkeypatch.setattr(gpu, "KERNELS", {name: gpu.KERNELS[name] for name in ("flash", "plain")})
    for user in (scorer, poking):
        monkeypatch.setattr(user, "resolve_device", lambda: "cpu")
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch.cuda, "get_device_name", lambda: "a card")
    monkeypatch.setattr(torch.cuda, "synchronize", lambda: None)
    monkeypatch.setattr(torch.cuda, "max_memory_allocated", lambda: 2**30)
    monkeypatch.setattr(torch.cuda, "get_device_properties", lambda index: SimpleNamespace(total_memory=4 * 2**30))

    def forgotten() -> None:
        forgotten.calls += 1  # type: ignore[attr-defined]  # counts on the function itself
        if forgotten.calls > 1:  # type: ignore[attr-defined]  # as above
            raise torch.cuda.OutOfMemoryError("full")

    forgotten.calls = 0  # type: ignore[attr-defined]  # as above
    monkeypatch.setattr(torch.cuda, "reset_peak_memory_stats", forgotten)


@pytest.mark.usefixtures("pretended")
def test_every_figure_of_a_card_is_measured(tmp_path: Path) -> None:
    rows = gpu.measure(tmp_path, quick=True)

    named = {(row.what, row.figure): row for row in rows}
    assert len(named) == len(rows) == 3 * 2 + 2 + 4 + 3
    limit = next(row for row in rows if row.what.startswith("largest batch"))
    assert (limit.value, limit.details["mib_per_picture"], limit.details["card_gib"]) == (8, 128.0, 4.0)
    kernels = next(row for row in rows if row.what.startswith("attention"))
    assert {"milliseconds, flash", "milliseconds, plain", "milliseconds, torch's choice", "logits apart, flash"} <= set(kernels.details)
    alike = next(row for row in rows if "fp32" in row.what and row.unit == "r")
    assert alike.met and alike.value > 0.999  # the arithmetic is the twin's, whatever the device
    assert not list(tmp_path.iterdir())


@pytest.mark.usefixtures("pretended")
def test_a_steered_step_is_measured_beside_a_plain_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.cuda, "reset_peak_memory_stats", lambda: None)
    monkeypatch.setattr(gpu_texts.label_scorer, "measure", lambda folder, quick: [])
    done: list[str] = []

    def timed(ways: dict[str, Callable[[], None]], rounds: int) -> dict[str, list[float]]:
        for name, work in ways.items():
            work()
            done.append(name)
        return {"plain": [0.01], "steered": [0.05]}

    monkeypatch.setattr(gpu_texts, "seconds_on_card", timed)
    rows = gpu_texts.measure(tmp_path, quick=True)

    assert [row.what.split(", ", 2)[2] for row in rows] == [f"{dtype}, {n} texts" for dtype in ("float32", "bfloat16") for n in (2, 4)]
    assert done == ["plain", "steered"] * 4
    for row, n in zip(rows, (2, 4, 2, 4), strict=True):
        assert (row.value, row.details["steered_ms"], row.details["plain_ms"]) == (5.0, 50.0, 10.0)
        assert row.details["steered_texts_per_second"] == n * 20 and row.details["peak_mib"] == 1024


@pytest.mark.usefixtures("pretended")
def test_every_method_of_pictures_and_poking_are_measured(tmp_path: Path) -> None:
    rows = gpu_pictures.measure(tmp_path, quick=True)

    assert [row.what.partition(" of a picture")[0] for row in rows[:6]] == list(gpu_pictures.METHODS)
    assert [row.details["forwards"] for row in rows[:3]] == [1, 2, 17]  # 16 patches: attention, a second forward for rollout, each hidden
    assert rows[6].value == 8 and rows[6].details["peak_gib"] == 1.0
    ours = rows[7]  # 2 pokes of all, 1 of each of 16 patches: the twin explains 19 inputs by 17 forwards each
    assert ours.details["twin_forwards"] == 19 * 17 and ours.details["forwards"] == 2 + 2 + 16 + 17 + 3 * 17 + 16
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("module", [gpu, gpu_texts, gpu_pictures])
def test_without_a_card_the_module_says_so(module: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    with pytest.raises(RuntimeError, match="torch finds none"):
        module.measure(tmp_path, quick=True)
