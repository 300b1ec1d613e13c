"""The parts of distillation, each against numbers derived by hand or by a peer."""

from __future__ import annotations

import math

import pytest
import torch
from transformers import Dinov2Config, Dinov2ForImageClassification

from models.distil import _hard_loss, _soft_loss
from models.distil_settings import Variation
from models.distil_teacher import ConvTeacher
from models.images import Preprocessing
from models.pretrain_locality import make_local, neighbours
from models.pretrain_stage import Stage, _optimisers, learning_rate_at
from models.pretrain_variation import N_DRAWS, draw_variations, mixed, vary

STILL = Variation(rotation_degrees=0, window_from=1, window_to=1, stretch=0, flip_share=0, jitter=0, erased_side=0, erased_share=0)
PLAIN = Preprocessing(size=8, resize_to=8, mean=(0.0, 0.0, 0.0), std=(1.0, 1.0, 1.0))


def images(n: int = 3, side: int = 8) -> torch.Tensor:
    return torch.randint(0, 256, (n, side, side, 3), dtype=torch.uint8, generator=torch.Generator().manual_seed(0))


def test_no_variation_is_the_normalised_picture_and_a_flip_its_mirror() -> None:
    draws = torch.full((3, 12), 0.5)
    pixels = images().permute(0, 3, 1, 2).float() / 255
    torch.testing.assert_close(vary(images(), draws, STILL, PLAIN), pixels)
    flipped = vary(images(), draws, STILL.model_copy(update={"flip_share": 1.0}), PLAIN)
    torch.testing.assert_close(flipped, pixels.flip(3))


def test_a_window_of_half_the_side_shifted_to_the_corner_is_that_quarter_enlarged() -> None:
    # draws 4 and 5 at 1: as far right and down as it fits. Output pixel centres (2i + 1) / 16 of the quarter: from pixel 4 on,
    # a linear ramp of slope 1 per input pixel becomes one of slope 1/2.
    ramp = torch.arange(8, dtype=torch.uint8).expand(8, 8)[None, :, :, None].repeat(1, 1, 1, 3)
    draws = torch.full((1, 12), 0.5)
    draws[:, [1, 4, 5]] = torch.tensor([0.0, 1.0, 1.0])
    cut = vary(ramp, draws, STILL.model_copy(update={"window_from": 0.5}), PLAIN)[0, 0, 0] * 255
    # input column of output column i: 4 + (i + 0.5) / 2 - 0.5; the last lies 0.25 beyond the last centre, where the rim is mirrored
    torch.testing.assert_close(cut[:7], 3.75 + 0.5 * torch.arange(7), atol=1e-4, rtol=0)


def test_the_grey_square_covers_its_share_of_the_side_and_of_the_pictures() -> None:
    draws = torch.full((2, 12), 0.5)
    draws[1, 11] = 0.9
    varied = vary(images(2) // 2 + 1, draws, STILL.model_copy(update={"erased_side": 0.5, "erased_share": 0.7}), PLAIN)
    assert [int((picture == 0).sum()) for picture in varied] == [3 * 4 * 4, 0]


def test_variations_do_not_depend_on_the_batch() -> None:
    draws = draw_variations(3, torch.Generator().manual_seed(1))
    together = vary(images(), draws, Variation(), PLAIN)
    alone = torch.cat([vary(images()[i : i + 1], draws[i : i + 1], Variation(), PLAIN) for i in range(3)])
    torch.testing.assert_close(together, alone)


def mixing(*rows: tuple[float, float, float]) -> torch.Tensor:
    """Draws: whether (below the share), how (below a half: blended), weight of the own picture; a square goes to the first corner."""
    draws = torch.zeros(len(rows), N_DRAWS)
    draws[:, 12:15] = torch.tensor(rows)
    return draws


def test_a_blended_picture_is_the_weighted_sum_with_the_one_before_it_and_an_unchosen_one_stays() -> None:
    pixels = torch.tensor([10.0, 20.0, 40.0]).view(3, 1, 1, 1).expand(3, 3, 4, 4).clone()
    found, chosen = mixed(pixels, mixing((0.9, 0.0, 0.5), (0.1, 0.0, 0.25), (0.1, 0.4, 1.0)), share=0.5)
    assert chosen.tolist() == [False, True, True]
    # 0.25 * 20 + 0.75 * 10 = 12.5; weight 1 of the third: itself
    assert found[:, 0, 0, 0].tolist() == [10.0, 12.5, 40.0]
    assert pixels[:, 0, 0, 0].tolist() == [10.0, 20.0, 40.0]


def test_a_pasted_square_covers_the_other_pictures_share_of_the_area() -> None:
    # weight 0.75: a quarter of 8 x 8 pixels is the other's, a square of side 8 * sqrt(0.25) = 4 in the first corner
    pixels = torch.tensor([1.0, 2.0]).view(2, 1, 1, 1).expand(2, 3, 8, 8)
    found, _ = mixed(pixels, mixing((0.0, 0.9, 0.75), (0.0, 0.9, 0.75)), share=1.0)
    assert int((found[1, 0] == 1).sum()) == 16 and bool((found[1, :, :4, :4] == 1).all())
    # the picture before the first is the last
    assert int((found[0, 0] == 2).sum()) == 16


def test_muon_moves_the_matrices_of_the_layers_and_adam_everything_else_once() -> None:
    config = Dinov2Config(hidden_size=32, num_hidden_layers=2, num_attention_heads=2, image_size=16, patch_size=4)
    model = torch.nn.ModuleDict({"model": Dinov2ForImageClassification(config)})
    stage = Stage("s", model, 1, 2, 1e-3, 3e-3, 0.05, 0.15, 1.0, torch.float32, Variation(), PLAIN, 0)
    adam, muon = _optimisers(stage)
    counts = [sum(len(group["params"]) for group in optimiser.param_groups) for optimiser in (adam, muon)]
    assert counts[1] == 2 * 6  # q, k, v, out, fc1, fc2 of two layers
    assert sum(counts) == len(list(model.parameters()))
    assert {group["peak"] for group in muon.param_groups} == {3e-3} and {group["peak"] for group in adam.param_groups} == {1e-3}


def test_a_local_start_looks_at_one_neighbour_per_head_and_the_class_token_at_all_patches_alike() -> None:
    torch.manual_seed(0)
    config = Dinov2Config(hidden_size=128, num_hidden_layers=2, num_attention_heads=4, image_size=32, patch_size=4, initializer_range=0.088)
    model = Dinov2ForImageClassification(config)
    model.train(False)
    make_local(model, 1.5)
    model.set_attn_implementation("eager")
    with torch.no_grad():
        rows = model.dinov2(torch.randn(8, 3, 32, 32), output_attentions=True).attentions
    for layer, attention in enumerate(rows):
        for head, (down, right) in enumerate(neighbours(layer, 4)):
            for row, column in ((1, 1), (3, 4), (6, 6)):
                # over pictures: content, quiet but there, may turn a single one
                looked = attention[:, head, 1 + 8 * row + column, 1:].mean(0).argmax()
                assert looked == 8 * (row + down) + column + right
    # 1/65 = 0.015 each; content adds some, a head that looked at one place would have most of 1
    assert rows[0][:, :, 0].mean(dim=(0, 1)).max() < 3 / 65


def test_no_sharpness_changes_nothing_and_narrow_heads_are_refused() -> None:
    config = Dinov2Config(hidden_size=32, num_hidden_layers=1, num_attention_heads=4, image_size=16, patch_size=4)
    model = Dinov2ForImageClassification(config)
    before = {name: value.clone() for name, value in model.state_dict().items()}
    make_local(model, 0)
    assert all(torch.equal(value, before[name]) for name, value in model.state_dict().items())
    with pytest.raises(ValueError, match="at least 16"):
        make_local(model, 1.0)


@pytest.mark.parametrize(("side", "patch"), [(32, 4), (64, 8), (64, 16)])
def test_the_teachers_map_has_one_cell_per_patch(side: int, patch: int) -> None:
    logits, map_ = ConvTeacher(2, 5, patch)(torch.zeros(2, 3, side, side))
    assert (logits.shape, map_.shape) == ((2, 5), (2, 8, side // patch, side // patch))


def test_the_soft_loss_is_the_divergence_of_softened_probabilities_times_temperature_squared() -> None:
    # teacher (2/3, 1/3) at temperature 2: logits 2 ln 2 and 0; student uniform: KL = 2/3 ln(4/3) + 1/3 ln(2/3) = 0.05663
    teacher, student = torch.tensor([[2 * math.log(2), 0.0]]), torch.zeros(1, 2)
    expected = 4 * (2 / 3 * math.log(4 / 3) + 1 / 3 * math.log(2 / 3))
    assert _soft_loss(student, teacher, 2.0).item() == pytest.approx(expected, rel=1e-5)
    assert _soft_loss(teacher, teacher, 2.0).item() == pytest.approx(0, abs=1e-6)


def test_the_hard_loss_counts_unlabelled_pictures_as_nothing_also_when_all_are() -> None:
    # two classes, uniform logits: ln 2 for the one labelled picture of four
    assert _hard_loss(torch.zeros(4, 2), torch.tensor([-1, 1, -1, -1]), 0.0).item() == pytest.approx(math.log(2) / 4, rel=1e-6)
    assert _hard_loss(torch.zeros(2, 2), torch.tensor([-1, -1]), 0.1).item() == 0


def test_the_learning_rate_rises_to_its_peak_and_falls_to_nothing() -> None:
    # halfway down the cosine, at 0.2 + 0.8 / 2 of the steps, it is half the peak
    assert [learning_rate_at(share, 0.2) for share in (0.0, 0.1, 0.2, 0.6, 1.0)] == pytest.approx([0.04, 0.52, 1.0, 0.5, 0.0], abs=1e-12)
