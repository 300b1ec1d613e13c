"""Is a poked text the text with noise on its words' embeddings, in every answer that a scorer gives of it?"""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch
from safetensors.torch import save_file

from models.classifier import new_classifier
from models.poked_texts import poked_embeddings, poked_texts, text_noise
from models.text_backbone import resolve_text_backbone
from models.text_gradients import integrated_gradients, token_batch
from models.text_loading import load_text_scorer
from models.text_scorer import TextScorer
from models.texts import Texts, prepare
from tests.text_folders import save_family

SOME = ("i lost my card", "lost card alarm account please block it", "card \u200b lost")
TARGETS = np.array([0, 2, 1])
PLAN = (None, None, 0, 1, 3)
FAMILIES = ("roberta", "bert")


@pytest.fixture(scope="module", params=FAMILIES)
def made(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> tuple[TextScorer, Any, Texts]:
    """A scorer, the library's own classifier beside it, and three texts."""
    backbone = resolve_text_backbone(str(save_family(tmp_path_factory.mktemp(request.param), request.param)))
    model = new_classifier(backbone, ("a", "b", "c")).requires_grad_(False)
    head = {name: t.mul_(20).clone() for name, t in model.state_dict().items() if name.startswith("classifier.")}
    path = tmp_path_factory.mktemp("merged") / "merged.safetensors"
    save_file(head, path)
    return load_text_scorer(backbone, path, "float32", 4, (16, 32)), model.eval(), prepare(SOME, backbone)


def draw(texts: Texts, width: int, row: int, poke: int) -> np.ndarray:
    return text_noise(texts[[row]], width, PLAN[poke], np.random.default_rng([row, poke]))


def noise_of(texts: Texts, width: int):
    def noise(rows: np.ndarray, pokes: np.ndarray) -> np.ndarray:
        return np.stack([draw(texts, width, row, poke) for row, poke in zip(rows, pokes, strict=True)])

    return noise


def embedded(model: Any, texts: Texts, row: int, poke: int, kept: np.ndarray, baseline: str) -> torch.Tensor:
    """Naive twin: one token after the other is kept (with its noise), replaced, or left out: [1, tokens, width]."""
    table = model.get_input_embeddings()
    z = np.zeros((texts.ids.shape[1], table.weight.shape[1])) if poke < 0 else draw(texts, table.weight.shape[1], row, poke)
    found = []
    for place in range(int(texts.lengths[row])):
        word = texts.word_of[row, place]
        own = table.weight[int(texts.ids[row, place])]
        if word == -1 or kept[word]:
            found.append(own + 0.05 * own.norm() / len(own) ** 0.5 * torch.from_numpy(z[place]))
        elif baseline == "mask":
            found.append(table.weight[texts.mask_id])
    return torch.stack(found)[None].float()


def triples(texts: Texts, m: int = 30) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    generator = np.random.default_rng(4)
    keep = generator.random((m, texts.included.shape[1])) < generator.random((m, 1))
    return generator.integers(0, len(texts), m), generator.integers(-1, len(PLAN), m), keep


def test_noise_of_sd_one_moves_an_embedding_by_five_percent_of_its_length() -> None:
    generator = np.random.default_rng(0)
    given = torch.from_numpy(generator.standard_normal((2, 3, 400)).astype(np.float32)) * torch.tensor([0.1, 1.0, 7.0])[:, None]
    z = np.float32(0.05) * generator.standard_normal(given.shape).astype(np.float32)
    moved = poked_embeddings(given, z) - given
    # the length of 400 standard normals is 20 give or take 0.7, so of the noise 5 % give or take 0.2
    assert (moved.norm(dim=-1) / given.norm(dim=-1)).numpy() == pytest.approx(np.full((2, 3), 0.05), abs=0.006)


def test_specials_and_padding_are_not_poked_and_a_words_noise_does_not_depend_on_the_batch(made) -> None:
    _, _, texts = made
    whole, alone = draw(texts, 8, 0, 0), draw(texts, 8, 0, 3)
    assert ((whole != 0).all(axis=1) == (texts.word_of[0] >= 0)).all() and ((alone != 0).any(axis=1) == (texts.word_of[0] == 1)).all()
    shorter = texts[[0]]
    narrow = Texts(**{**vars(shorter), "ids": shorter.ids[:, :6], "attended": shorter.attended[:, :6], "word_of": shorter.word_of[:, :6]})
    assert np.array_equal(text_noise(narrow, 8, 1, np.random.default_rng([0, 3])), alone[:6])
    with pytest.raises(ValueError, match="one text at a time, found 3"):
        text_noise(texts, 8, None, np.random.default_rng(0))
    with pytest.raises(ValueError, match="pokes are of one text with noise"):
        poked_texts(texts, whole[None])


@pytest.mark.parametrize("baseline", ["mask", "drop"])
def test_it_is_the_librarys_own_answer_to_the_poked_embeddings_of_what_is_shown(baseline: str, made) -> None:
    scorer, model, texts = made
    rows, pokes, keep = triples(texts)
    expected = [
        float(model(inputs_embeds=embedded(model, texts, row, poke, kept, baseline)).logits.softmax(1)[0, TARGETS[row]])
        for row, poke, kept in zip(rows, pokes, keep, strict=True)
    ]
    noise = noise_of(texts, scorer.backbone.hidden_size)
    found = scorer.poked_value(texts, TARGETS, baseline, noise)(rows, pokes, keep)
    np.testing.assert_allclose(found, expected, atol=2e-5, rtol=0)
    assert np.abs(found - scorer.value(texts, TARGETS, baseline)(rows, keep))[pokes >= 0].max() > 1e-3


@pytest.mark.parametrize("baseline", ["mask", "drop"])
def test_a_triple_has_the_same_bits_whatever_is_asked_beside_it_and_hiding_what_was_poked_shows_the_text(baseline: str, made) -> None:
    scorer, _, texts = made
    rows, pokes, keep = triples(texts)
    value = scorer.poked_value(texts, TARGETS, baseline, noise_of(texts, scorer.backbone.hidden_size))
    plain = scorer.value(texts, TARGETS, baseline)
    together = value(rows, pokes, keep)
    alone = [value(rows[i : i + 1], pokes[i : i + 1], keep[i : i + 1]) for i in range(len(rows))]
    assert np.array_equal(together, np.concatenate(alone)) and np.array_equal(together[::-1], value(rows[::-1], pokes[::-1], keep[::-1]))
    assert np.array_equal(together[pokes < 0], plain(rows, keep)[pokes < 0])
    hidden = keep.copy()
    hidden[:, 1] = False
    assert np.array_equal(value(rows, np.full(len(rows), 3), hidden), plain(rows, hidden))


def test_logits_attention_and_gradients_of_poked_texts_are_the_librarys_and_zero_noise_changes_no_bit(made) -> None:
    scorer, model, texts = made
    width, one = scorer.backbone.hidden_size, texts[[1]]
    noise = noise_of(texts, width)(np.ones(5, dtype=np.int64), np.arange(5))
    poked = poked_texts(one, noise)
    everything = np.ones(texts.included.shape[1], dtype=bool)
    inputs = [embedded(model, texts, 1, poke, everything, "mask") for poke in range(5)]
    expected = np.concatenate([model(inputs_embeds=each).logits.numpy() for each in inputs])
    logits, attention = scorer.explain(poked)
    np.testing.assert_allclose(logits, expected, atol=1e-4)
    assert np.array_equal(scorer.logits(poked), logits) and np.array_equal(scorer.logits(poked[[3]]), logits[[3]])
    assert np.ptp(attention, axis=0).max() > 1e-4 and attention.sum(axis=1) == pytest.approx(np.ones(5))
    still = poked_texts(one, np.zeros_like(noise))
    again, resting = scorer.explain(still)
    assert np.array_equal(again[0], scorer.logits(one)[0]) and np.array_equal(resting[:1], scorer.attention(one))

    targets = np.array([2] * 5)
    found = scorer.integrated_gradients(poked, targets, 3)
    for poke in range(5):  # the path's end is the poked embedding: the twin is given it as if it were the table's own
        table = model.get_input_embeddings()
        batch = token_batch(one)
        kept = table.forward
        table.forward = lambda ids, own=inputs[poke]: own
        tokens = integrated_gradients(model, scorer._family, batch, torch.tensor([2]), 3)[0].detach().numpy()
        table.forward = kept
        words = [tokens[: len(one.word_of[0])][one.word_of[0][: len(tokens)] == word].sum() for word in range(one.included.shape[1])]
        np.testing.assert_allclose(found.values[poke], words, atol=1e-4)
    assert np.array_equal(
        scorer.integrated_gradients(still[[0]], targets[:1], 3).values, scorer.integrated_gradients(one, targets[:1], 3).values
    )
