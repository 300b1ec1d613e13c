"""Is v(keep) the probability of the target on the text whose hidden words became mask tokens, or left it?"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import save_file

from models.backbone_record import TextBackbone
from models.classifier import new_classifier
from models.text_backbone import resolve_text_backbone
from models.text_loading import load_text_scorer
from models.text_scorer import TextScorer
from models.texts import Texts, prepare
from tests.text_folders import FAMILIES, SENTENCES, save_family
from xai.value import deduplicated

LABELS = ("a", "b", "c")
SOME = (SENTENCES[1], "card", "lost card alarm account " * 6, "card \u200b lost")
TARGETS = np.array([0, 2, 1, 1])


@pytest.fixture(scope="module")
def models(tmp_path_factory: pytest.TempPathFactory) -> dict[str, tuple[TextBackbone, Path, torch.nn.Module]]:
    found = {}
    for family in FAMILIES:
        folder = tmp_path_factory.mktemp(family)
        backbone = resolve_text_backbone(str(save_family(folder, family)))
        model = new_classifier(backbone, LABELS).requires_grad_(False)
        head = {name: t.mul_(20).clone() for name, t in model.state_dict().items() if name.startswith("classifier.")}  # else 1/3 everywhere
        path = tmp_path_factory.mktemp("merged") / "merged.safetensors"
        save_file(head, path)
        found[family] = (backbone, path, model)
    return found


def scorer_of(models: dict[str, tuple[TextBackbone, Path, torch.nn.Module]], family: str, dtype: str = "float32") -> TextScorer:
    backbone, path, _ = models[family]
    return load_text_scorer(backbone, path, dtype, 8, (16, 32, 128))


def masks(texts: Texts, m: int = 40) -> tuple[np.ndarray, np.ndarray]:
    """Random masks, beginning with all and nothing of the longest text; places that are no words at random too."""
    generator = np.random.default_rng(4)
    keep = generator.random((m, texts.included.shape[1])) < generator.random((m, 1))
    rows = generator.integers(0, len(texts), m)
    rows[:2], keep[0], keep[1] = 2, True, False
    return rows, keep


def shown(texts: Texts, row: int, kept: np.ndarray, baseline: str) -> torch.Tensor:
    """Naive twin: one token after the other is kept, replaced or left out."""
    ids = []
    for token, word, attended in zip(texts.ids[row], texts.word_of[row], texts.attended[row], strict=True):
        if not attended:
            continue
        if word == -1 or kept[word]:
            ids.append(int(token))
        elif baseline == "mask":
            ids.append(texts.mask_id)
    return torch.tensor([ids])


@pytest.mark.parametrize("baseline", ["mask", "drop"])
@pytest.mark.parametrize("family", FAMILIES)
def test_hiding_words_is_the_librarys_forward_on_the_text_without_them(
    family: str, baseline: str, models: dict[str, tuple[TextBackbone, Path, torch.nn.Module]]
) -> None:
    backbone, _, model = models[family]
    texts = prepare(SOME, backbone)
    rows, keep = masks(texts)
    found = scorer_of(models, family).value(texts, TARGETS, baseline)(rows, keep)
    expected = [
        float(model(input_ids=shown(texts, row, kept, baseline)).logits.softmax(1)[0, TARGETS[row]])
        for row, kept in zip(rows, keep, strict=True)
    ]
    assert (found.shape, found.dtype) == ((40,), np.float32)
    np.testing.assert_allclose(found, expected, atol=2e-5, rtol=0)
    assert np.std(expected) > 0.01


@pytest.mark.parametrize("baseline", ["mask", "drop"])
@pytest.mark.parametrize("dtype", ["float32", "bfloat16"])
def test_keeping_all_is_the_models_probability_to_the_bit_and_masks_do_not_disturb_each_other(
    baseline: str, dtype: str, models: dict[str, tuple[TextBackbone, Path, torch.nn.Module]]
) -> None:
    scorer = scorer_of(models, "roberta", dtype)
    texts = prepare(SOME, models["roberta"][0])
    value = scorer.value(texts, TARGETS, baseline)
    everything = value(np.arange(4), np.ones(texts.included.shape, dtype=bool))
    shares = torch.from_numpy(scorer.logits(texts)).softmax(1).numpy()
    np.testing.assert_allclose(everything, shares[np.arange(4), TARGETS], atol=1e-6, rtol=0)
    rows, keep = masks(texts)
    together = value(rows, keep)
    assert np.array_equal(together, np.concatenate([value(rows[i : i + 1], keep[i : i + 1]) for i in range(40)]))
    assert np.array_equal(together[::-1], value(rows[::-1], keep[::-1]))
    narrower = texts[[2, 0]]
    again = scorer.value(narrower, TARGETS[[2, 0]], baseline)(np.where(rows == 2, 0, 1), keep)
    assert np.array_equal(again[np.isin(rows, (0, 2))], together[np.isin(rows, (0, 2))])


def test_a_text_with_every_word_dropped_is_its_specials_alone_and_all_texts_are_alike_then(
    models: dict[str, tuple[TextBackbone, Path, torch.nn.Module]],
) -> None:
    backbone, _, model = models["bert"]
    texts = prepare(SOME, backbone)
    nothing = np.zeros(texts.included.shape, dtype=bool)
    found = scorer_of(models, "bert").value(texts, np.ones(4, dtype=np.int64), "drop")(np.arange(4), nothing)
    expected = float(model(input_ids=torch.tensor([[2, 3]])).logits.softmax(1)[0, 1])  # [CLS] [SEP]
    np.testing.assert_allclose(found, [expected] * 4, atol=2e-5)
    assert len(set(found.tolist())) == 1


def test_a_word_without_tokens_and_places_that_are_no_words_change_nothing(
    models: dict[str, tuple[TextBackbone, Path, torch.nn.Module]],
) -> None:
    texts = prepare(SOME, models["bert"][0])
    for baseline in ("mask", "drop"):
        value = scorer_of(models, "bert").value(texts, TARGETS, baseline)
        keep = np.ones((3, texts.included.shape[1]), dtype=bool)
        keep[1, 1] = False  # the zero-width word
        keep[2, 3:] = False  # behind the text's three words
        assert len(set(value(np.full(3, 3), keep).tolist())) == 1


def test_it_is_the_flat_value_of_the_xai_room(models: dict[str, tuple[TextBackbone, Path, torch.nn.Module]]) -> None:
    texts = prepare(SOME, models["bert"][0])
    flat = scorer_of(models, "bert").value(texts, TARGETS, "mask")
    keep = np.random.default_rng(0).random((4, 3, texts.included.shape[1])) < 0.5
    found = deduplicated(flat, 4)(keep)
    assert np.array_equal(found, flat(np.repeat(np.arange(4), 3), keep.reshape(12, -1)).reshape(4, 3))


def test_no_mask_gives_no_value_and_no_text_is_allowed(models: dict[str, tuple[TextBackbone, Path, torch.nn.Module]]) -> None:
    scorer, backbone = scorer_of(models, "bert"), models["bert"][0]
    for some in ((), SOME):
        texts = prepare(some, backbone)
        for baseline in ("mask", "drop"):
            value = scorer.value(texts, np.zeros(len(some), dtype=np.int64), baseline)
            assert value(np.zeros(0, dtype=np.int64), np.zeros((0, texts.included.shape[1]), dtype=bool)).shape == (0,)


def test_what_was_not_asked_properly_is_refused(models: dict[str, tuple[TextBackbone, Path, torch.nn.Module]]) -> None:
    scorer, texts = scorer_of(models, "bert"), prepare(SOME[:2], models["bert"][0])
    n_words = texts.included.shape[1]
    with pytest.raises(ValueError, match="baseline must be one of"):
        scorer.value(texts, np.zeros(2, dtype=np.int64), "zero")
    for targets in ([0, 3], [0, -1], [0]):
        with pytest.raises(ValueError, match="targets"):
            scorer.value(texts, np.array(targets), "mask")
    value = scorer.value(texts, np.zeros(2, dtype=np.int64), "mask")
    for rows, shape in (([2], (1, n_words)), ([-1], (1, n_words)), ([0], (1, n_words - 1)), ([0, 1], (1, n_words))):
        with pytest.raises(ValueError, match="rows"):
            value(np.array(rows), np.ones(shape, dtype=bool))
