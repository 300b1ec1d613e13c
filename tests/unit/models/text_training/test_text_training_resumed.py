"""Does a training that was killed go on, and end as one that never was?"""

from __future__ import annotations

import os
from collections.abc import Callable
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import pytest

from models.backbone_record import TextBackbone
from models.trained_adapter import Trained
from tests.text_training_worlds import HOW, hybrid, recipe, trained


class Killed(RuntimeError):
    """What stands for the end of the process."""


def until(step: int) -> Callable[[int, int], None]:
    def on_step(done: int, of: int) -> None:
        if done == step:
            raise Killed

    return on_step


@pytest.mark.parametrize(("kind", "tuning"), [("ce", "full"), ("cap_hybrid", "lora")])
@pytest.mark.parametrize("step", [1, 2, 5])
def test_a_training_killed_at_any_step_goes_on_and_ends_with_the_same_bytes(
    kind: str, tuning: str, step: int, backbone: TextBackbone, zoo: dict[tuple[str, str], Trained], tmp_path: Path
) -> None:
    """24 texts, steps of 16: two steps an epoch. With dropout 0.1 of LoRA, whose draws must be those of the step."""
    how = HOW[kind](tuning=tuning)
    with pytest.raises(Killed):
        trained(backbone, tmp_path / "a", how, on_step=until(step), checkpoint_seconds=0)
    steps: list[int] = []
    told: list[Any] = []
    result = trained(backbone, tmp_path / "a", how, on_step=lambda done, _: steps.append(done), on_epoch=told.append)
    assert steps[0] == step  # the step that was killed is done again; those saved before are not
    first = zoo[kind, tuning]
    assert result.weights_sha256 == first.weights_sha256 and result.epochs == first.epochs == tuple(told)
    assert result.metrics | {"minutes": 0} == first.metrics | {"minutes": 0}
    assert [item.name for item in tmp_path.iterdir()] == ["a"]


def _train_and_die(backbone: TextBackbone, folder: Path) -> None:
    def on_step(done: int, of: int) -> None:
        if done == 4:
            os._exit(9)

    trained(backbone, folder, hybrid(), on_step=on_step, checkpoint_seconds=0)


def test_a_process_that_dies_leaves_no_adapter_and_the_next_one_ends_as_if_it_had_not(
    backbone: TextBackbone, zoo: dict[tuple[str, str], Trained], tmp_path: Path
) -> None:
    process = get_context("fork").Process(target=_train_and_die, args=(backbone, tmp_path / "a"))
    process.start()
    process.join()
    assert process.exitcode == 9 and not (tmp_path / "a").exists()
    assert trained(backbone, tmp_path / "a", hybrid()).weights_sha256 == zoo["cap_hybrid", "lora"].weights_sha256


def test_the_checkpoint_of_another_recipe_is_passed_over(
    backbone: TextBackbone, zoo: dict[tuple[str, str], Trained], tmp_path: Path
) -> None:
    with pytest.raises(Killed):
        trained(backbone, tmp_path / "a", recipe(seed=5), on_step=until(4), checkpoint_seconds=0)
    assert trained(backbone, tmp_path / "a", recipe()).weights_sha256 == zoo["ce", "lora"].weights_sha256
