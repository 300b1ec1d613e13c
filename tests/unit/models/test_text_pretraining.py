"""A small text backbone in the real layout: the same bytes from the same settings, found again, and read by the real loaders."""

from __future__ import annotations

import math
from collections import Counter
from pathlib import Path

import numpy as np
import pytest
import torch
from pydantic import ValidationError

from models.classifier import classifier_state, new_classifier
from models.errors import ArtifactError
from models.hashing import file_sha256
from models.masked_words import mask_words
from models.text_backbone import resolve_text_backbone
from models.text_loading import load_text_scorer
from models.text_pretraining import TextPretrainSettings, pretrain_text
from models.text_vocabulary import MASK, SPECIALS, learn_vocabulary
from models.texts import prepare
from tests.text_folders import SENTENCES

SETTINGS = TextPretrainSettings(vocabulary=320, width=16, depth=2, heads=2, n_tokens=32, epochs=2, batch_size=8)
FILES = ("config.json", "model.safetensors", "tokenizer.json", "tokenizer_config.json")


def grammar(n: int, seed: int = 0) -> list[str]:
    """Sentences whose second word follows from the first and whose last from the second: there is something to learn."""
    rng = np.random.default_rng(seed)
    things = {"set": ("alarm", "clock"), "block": ("card", "bank"), "play": ("song", "radio"), "book": ("flight", "airport")}
    chosen = rng.choice(list(things), n)
    return [f"please {verb} my {things[verb][0]} at the {things[verb][1]} {rng.choice(['now', 'today', 'soon'])}" for verb in chosen]


def test_the_same_settings_give_the_same_bytes_in_any_order_and_no_global_generator_moves(tmp_path: Path) -> None:
    state = torch.get_rng_state()
    paths = [pretrain_text(SETTINGS, texts, tmp_path / str(i)) for i, texts in enumerate((SENTENCES, SENTENCES[::-1]))]
    assert torch.equal(torch.get_rng_state(), state)
    assert paths[0].name == paths[1].name
    assert sorted(item.name for item in paths[0].iterdir()) == sorted(FILES)
    for name in FILES:
        assert file_sha256(paths[0] / name) == file_sha256(paths[1] / name), name


def test_a_backbone_that_is_there_is_used_again_and_other_settings_or_texts_make_another(tmp_path: Path) -> None:
    path = pretrain_text(SETTINGS, SENTENCES, tmp_path)
    stamp = (path / "model.safetensors").stat().st_mtime_ns
    losses: list[float] = []
    assert pretrain_text(SETTINGS, SENTENCES, tmp_path, on_epoch=losses.append) == path
    assert (path / "model.safetensors").stat().st_mtime_ns == stamp and losses == []
    other = pretrain_text(SETTINGS.model_copy(update={"seed": 1}), SENTENCES, tmp_path, on_epoch=losses.append)
    more = pretrain_text(SETTINGS, (*SENTENCES, SENTENCES[0]), tmp_path)
    assert len({path, other, more}) == 3 and len(losses) == SETTINGS.epochs
    assert file_sha256(other / "model.safetensors") != file_sha256(path / "model.safetensors")
    assert sorted(item.name for item in tmp_path.iterdir()) == sorted(item.name for item in (path, other, more))


def test_what_is_written_is_a_roberta_without_a_head_for_the_real_loaders(tmp_path: Path) -> None:
    from transformers import AutoModel, AutoTokenizer

    path = pretrain_text(SETTINGS, SENTENCES, tmp_path)
    backbone = resolve_text_backbone(str(path))
    assert (backbone.family, backbone.hidden_size, backbone.n_layers, backbone.n_tokens) == ("roberta", 16, 2, 32)
    assert not any(name.startswith(("classifier", "lm_head")) for name in classifier_state(backbone))
    texts = (*SENTENCES, "unseen words, 漢字 \u200b  two spaces")
    ours, theirs = prepare(texts, backbone), AutoTokenizer.from_pretrained(path)(list(texts), truncation=True, max_length=32)
    assert [ids[attended].tolist() for ids, attended in zip(ours.ids, ours.attended, strict=True)] == theirs["input_ids"]
    model = AutoModel.from_pretrained(path).eval()
    pooled, _ = load_text_scorer(backbone, None, "float32", 4, (16, 32)).embed(ours)
    with torch.no_grad():
        for row, ids in enumerate(theirs["input_ids"]):
            np.testing.assert_allclose(pooled[row], model(torch.tensor([ids])).last_hidden_state[0, 0].numpy(), atol=1e-5, rtol=1e-5)


def test_it_learns_to_guess_words_from_their_neighbours(tmp_path: Path) -> None:
    """Twelve words to tell apart by their neighbours; knowing only how often each occurs leaves the entropy of that."""
    texts = grammar(160)
    losses: list[float] = []
    settings = SETTINGS.model_copy(
        update={"vocabulary": 400, "width": 32, "epochs": 30, "batch_size": 16, "learning_rate": 5e-3, "dropout": 0.0}
    )
    path = pretrain_text(settings, texts, tmp_path, on_epoch=losses.append)
    counts = np.array(list(Counter(word for text in texts for word in text.split()).values()))
    shares = counts / counts.sum()
    assert losses[-1] < 0.6 * -(shares * np.log(shares)).sum() < losses[0]
    assert all(math.isfinite(loss) for loss in losses)
    backbone = resolve_text_backbone(str(path))
    assert (prepare(["please set my alarm"], backbone).tokens_per_word <= 2).all()  # frequent words have become pieces of their own


def test_words_are_hidden_whole_at_the_share_asked_at_least_one_and_never_a_special() -> None:
    n, width = 400, 14
    word_of = torch.tensor([-1, 0, 0, 1, 2, 2, 2, 3, 4, 5, 6, 7, -1, -1]).repeat(n, 1)
    ids = torch.arange(100, 100 + width).repeat(n, 1)
    n_words = torch.full((n,), 8)
    short = torch.arange(n) < 100  # a quarter of the texts has two words
    word_of[short] = torch.tensor([-1, 0, 0, 1, -1] + [-1] * 9)
    n_words[short] = 2
    masked = mask_words(ids, word_of, n_words, 0.25, 1000, torch.Generator().manual_seed(0))
    again = mask_words(ids, word_of, n_words, 0.25, 1000, torch.Generator().manual_seed(0))
    assert torch.equal(masked.shown, again.shown) and torch.equal(masked.asked, again.asked)
    assert not masked.asked[word_of == -1].any()
    assert torch.equal(masked.shown[~masked.asked], ids[~masked.asked])
    for row in range(n):
        whole = [masked.asked[row][word_of[row] == word] for word in range(int(n_words[row]))]
        assert all(bool(part.all()) or not part.any() for part in whole)
        assert sum(bool(part.any()) for part in whole) == (1 if short[row] else 2)  # 0.25 x 8 = 2; 0.25 x 2 = 0.5, at least one
    words = masked.shown[:, 3][masked.asked[:, 3]]  # the word of one token
    share = (words == MASK).double().mean()
    assert share == pytest.approx(0.8, abs=4 * math.sqrt(0.16 / len(words)))  # 4 standard errors
    assert (words == 103).double().mean() == pytest.approx(0.1, abs=4 * math.sqrt(0.09 / len(words)))
    assert words[(words != MASK) & (words != 103)].min() >= len(SPECIALS)


def test_a_vocabulary_holds_every_byte_and_the_specials_in_order_and_is_the_same_each_time() -> None:
    one, two = (learn_vocabulary(SENTENCES, 300) for _ in range(2))
    assert one.to_str() == two.to_str()
    assert [one.id_to_token(index) for index in range(5)] == list(SPECIALS)
    assert one.get_vocab_size() <= 300
    for text in ("漢字 👍🏽", "\x00\x07", "שלום"):
        assert SPECIALS.index("<unk>") not in one.encode(text).ids
        assert one.decode(one.encode(text).ids).strip() == text
    with pytest.raises(ValueError, match="261"):
        learn_vocabulary(SENTENCES, 260)


def test_settings_that_do_not_fit_and_texts_without_words_are_refused(tmp_path: Path) -> None:
    with pytest.raises(ValidationError, match="multiple"):
        TextPretrainSettings(width=30, heads=4)
    with pytest.raises(ValidationError, match="261"):
        TextPretrainSettings(vocabulary=100)
    with pytest.raises(ValueError, match="at least one text"):
        pretrain_text(SETTINGS, ["", " "], tmp_path)


def test_texts_longer_than_the_model_train_it_by_their_beginning(tmp_path: Path) -> None:
    path = pretrain_text(SETTINGS.model_copy(update={"epochs": 1}), ["card lost " * 200, "one"], tmp_path)
    assert resolve_text_backbone(str(path)).n_tokens == 32


def test_a_diverging_loss_leaves_nothing(tmp_path: Path) -> None:
    with pytest.raises(ArtifactError) as refused:
        pretrain_text(SETTINGS.model_copy(update={"learning_rate": 1e30, "clip_norm": 1e30}), SENTENCES, tmp_path / "zoo")
    assert refused.value.code == "nonfinite"
    assert not (tmp_path / "zoo").exists()


def test_a_classifier_on_it_is_ready_to_be_trained(tmp_path: Path) -> None:
    backbone = resolve_text_backbone(str(pretrain_text(SETTINGS, SENTENCES, tmp_path)))
    model = new_classifier(backbone, ("a", "b"))
    texts = prepare(SENTENCES, backbone)
    model.train()
    output = model(input_ids=torch.from_numpy(texts.ids), attention_mask=torch.from_numpy(texts.attended).long())
    output.logits.square().sum().backward()
    assert all(parameter.grad is not None for parameter in model.parameters())
