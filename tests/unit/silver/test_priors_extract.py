"""Are the rows of silver.priors what METHODS 5 and 9 say of a language model that is asked the naive way, text by text?"""

from __future__ import annotations

from itertools import permutations
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from safetensors.torch import load_file, save_file
from sklearn.linear_model import Ridge

from benchmarks import label_twin
from lake.identity import rng
from lake.rows import ERROR_COLUMNS, Identity
from models.label_scorer.artifact import resolve_label_model
from models.label_scorer.language_model import load_language_model
from models.label_scorer.settings import LabelPrompt, Template
from silver.priors.extract import Extraction, extract
from silver.priors.jobs import SOURCES
from silver.priors.settings import PriorSettings
from silver.specs import PRIORS
from tests.language_models import LABELS, save
from xai.fits.shapley import kernel_weights
from xai.masks import drawn_masks

SHORT, LONG = "where is my cash withdrawal", "I still have not received my new card and the atm ate it"
UNUSUAL = {"word": "cash", "punctuation": "?! ...", "emoji": "👍🏽", "rtl": "שלום لكم", "joined": "a\u200bb e\u0301"}
N = 24
TEMPLATES: dict[Template, str] = {"labelled": LabelPrompt().labelled, "plain": LabelPrompt().plain}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return save(tmp_path_factory.mktemp("lm") / "llama")


def plan(folder: Path, template: Template = "labelled", leaky: bool | None = None, n: int = N, **settings: Any) -> Extraction:
    variants = tuple({"source": source, "scorer": "lm"} for source in SOURCES[template])
    own = PriorSettings.model_validate({"scorer": {"name": str(folder)}, "seed": 3, **settings})
    return Extraction(resolve_label_model(str(folder)), LABELS, own, n, template, leaky, Identity("d", "s", variants))


def rows(how: Extraction, texts: dict[str, str], target: int = 1, todo: list[int] | None = None) -> dict[tuple[str, str], dict[str, Any]]:
    """(example id, source) -> row, from one batch of all texts."""
    indices = list(range(len(how.identity.variants))) if todo is None else todo
    asked = [{"example_id": name, "target_id": target, "text": text, "todo": indices} for name, text in texts.items()]
    found = [row for part in extract(iter([pa.RecordBatch.from_pylist(asked)]), how) for row in part.to_pylist()]
    by_key = {(row["example_id"], row["source"]): row for row in found}
    assert len(by_key) == len(found) == len(texts) * len(indices)
    return by_key


def naive_p(folder: Path, template: Template, text: str, keep: np.ndarray, choice: str = "sequence", target: int = 1) -> np.ndarray:
    """float64[masks]: the whole prompt, one mask and one label at a time, plain calls."""
    loaded = load_language_model(resolve_label_model(str(folder)), "float32")
    fields = {"instructions": LabelPrompt().instructions, "labels": ", ".join(LABELS)}
    prompts = [label_twin.prompt_text(TEMPLATES[template], fields, text.split(), mask.tolist(), "_", " ") for mask in keep]
    labels = LABELS if choice == "closed_set" else LABELS[target : target + 1]
    sums = [[label_twin.log_likelihood(loaded.model, loaded.tokenizer, prompt, label) for label in labels] for prompt in prompts]
    return np.array([label_twin.closed_set(np.array(row), target) if choice == "closed_set" else np.exp(row[0]) for row in sums])


def masks(text: str, example_id: str, n: int = N) -> np.ndarray:
    words = len(text.split())
    return drawn_masks([rng(3, example_id, "masks")], np.ones((1, words), bool), PriorSettings().masking(n))[0]


@pytest.mark.parametrize("choice", ["sequence", "closed_set"])
def test_cap_is_that_of_the_naive_twin(choice: str, folder: Path) -> None:
    found = rows(plan(folder, scoring={"label_probability": choice}), {"a": SHORT, "b": LONG})
    for example_id, text in (("a", SHORT), ("b", LONG)):
        keep, row = masks(text, example_id), found[example_id, "cap"]
        p = naive_p(folder, "labelled", text, keep, choice)
        m, z = keep.astype(float), -1 / np.log(np.clip(p, 1e-6, 0.99))
        np.testing.assert_allclose(row["values"], np.linalg.solve(m.T @ m + np.eye(m.shape[1]), m.T @ z), rtol=0, atol=1e-4)
        assert row["words"] == text.split() and row["target_id"] == 1 and row["n_masks"] == N
        assert row["clipped_share"] == float(((p < 1e-6) | (p > 0.99)).mean())
        np.testing.assert_allclose(row["whole_p"], p[0], rtol=1e-4)
        assert np.std(row["values"]) > 1e-3 and min(row["error"]) > 0  # masks do make a difference


def test_lime_is_a_weighted_ridge_of_the_naive_twins_answers(folder: Path) -> None:
    found = rows(plan(folder, "plain"), {"a": SHORT, "b": LONG})
    for example_id, text in (("a", SHORT), ("b", LONG)):
        keep = masks(text, example_id)
        weights = np.exp(-0.5 * ((1 - keep.mean(axis=1)) / 0.25) ** 2)
        peer = Ridge(alpha=1.0).fit(keep.astype(float), naive_p(folder, "plain", text, keep), sample_weight=weights)
        np.testing.assert_allclose(found[example_id, "lime"]["values"], peer.coef_, rtol=0, atol=1e-6)


def test_shap_of_a_short_text_is_the_mean_over_all_orders_of_the_naive_twins_answers(folder: Path) -> None:
    text = " ".join(SHORT.split()[:4])
    subsets = np.array([[number >> j & 1 for j in range(4)] for number in range(16)], dtype=bool)
    p = naive_p(folder, "plain", text, subsets)
    orders = list(permutations(range(4)))
    expected = np.zeros(4)
    for order in orders:
        seen = 0
        for word in order:
            expected[word] += (p[seen | 1 << word] - p[seen]) / len(orders)
            seen |= 1 << word
    row = rows(plan(folder, "plain"), {"a": text})["a", "shap"]
    np.testing.assert_allclose(row["values"], expected, rtol=1e-3, atol=1e-9)
    assert row["error"] == [0.0] * 4 and row["clipped_share"] == 0.0


@pytest.mark.parametrize("kernel", ["unbiased", "literal"])
def test_shap_of_a_long_text_is_the_constrained_fit_over_the_same_masks_and_the_empty_one(kernel: str, folder: Path) -> None:
    keep = masks(LONG, "a", 48)
    p, (nothing,) = naive_p(folder, "plain", LONG, keep), naive_p(folder, "plain", LONG, np.zeros((1, keep.shape[1]), bool))
    m = keep.astype(float)
    weights = kernel_weights(m[None], 0.7 if kernel == "unbiased" else None)[0]
    # Minimum of sum w (p - nothing - m phi)^2 where phi sums to p(everything) - nothing: a Lagrange multiplier more.
    normal = np.block([[2 * m.T @ (weights[:, None] * m), np.ones((m.shape[1], 1))], [np.ones((1, m.shape[1])), np.zeros((1, 1))]])
    expected = np.linalg.solve(normal, np.append(2 * m.T @ (weights * (p - nothing)), p[0] - nothing))[:-1]
    row = rows(plan(folder, "plain", n=48, shap={"kernel": kernel}), {"a": LONG})["a", "shap"]
    np.testing.assert_allclose(row["values"], expected, rtol=0, atol=1e-2 * np.abs(expected).max())
    assert row["n_masks"] == 48


@pytest.mark.parametrize("template", list(TEMPLATES))
def test_a_text_has_the_same_rows_alone_and_among_others_and_whatever_is_still_to_do(template: Template, folder: Path) -> None:
    how = plan(folder, template, leaky=True)
    together = rows(how, {"a": SHORT, "b": LONG, **UNUSUAL})
    alone = rows(how, {"b": LONG})
    assert alone == {key: row for key, row in together.items() if key[0] == "b"} and alone
    for index, source in enumerate(SOURCES[template]):
        assert rows(how, {"b": LONG}, todo=[index]) == {("b", source): alone["b", source]}
    assert all(row["leaky_prior"] is True and row["scorer"] == "lm" for row in together.values())
    (part,) = extract(iter([pa.RecordBatch.from_pylist([{"example_id": "b", "target_id": 1, "text": LONG, "todo": [0]}])]), how)
    assert part.schema == PRIORS.arrow_schema(ERROR_COLUMNS)


@pytest.mark.parametrize("name", UNUSUAL)
def test_unusual_texts_have_a_finite_number_per_word(name: str, folder: Path) -> None:
    for template in TEMPLATES:
        for row in rows(plan(folder, template), {name: UNUSUAL[name]}).values():
            assert row["error_code"] is None and row["words"] == UNUSUAL[name].split()
            assert len(row["values"]) == len(row["words"]) and np.isfinite(row["values"]).all()


def test_one_word_alone_explains_nothing_to_lime_and_everything_to_shap(folder: Path) -> None:
    found = rows(plan(folder, "plain"), {"a": "cash"})
    assert found["a", "lime"]["values"] == [0.0]  # always shown: no slope
    whole, nothing = naive_p(folder, "plain", "cash", np.array([[True], [False]]))
    np.testing.assert_allclose(found["a", "shap"]["values"], [whole - nothing], rtol=1e-3)


def test_labels_that_begin_alike_are_each_scored_as_they_are(folder: Path) -> None:
    assert LABELS[1].startswith(LABELS[0])
    for target in (0, 1):
        row = rows(plan(folder), {"a": SHORT}, target=target)["a", "cap"]
        np.testing.assert_allclose(row["whole_p"], naive_p(folder, "labelled", SHORT, masks(SHORT, "a")[:1], target=target)[0], rtol=1e-4)
        assert row["target_id"] == target


@pytest.mark.parametrize(
    ("text", "target", "code"),
    [(" \n", 1, "empty_text"), ("cash " * 10_000, 1, "too_large"), (SHORT, 5, "label_unknown"), (SHORT, -1, "label_unknown")],
    ids=["no word", "10,000 words", "no such label", "negative label"],
)
def test_a_text_that_cannot_be_scored_is_a_rejected_row_per_source_and_its_neighbour_is_not(
    text: str, target: int, code: str, folder: Path
) -> None:
    how = plan(folder, "plain")
    asked = [
        {"example_id": "bad", "target_id": target, "text": text, "todo": [0, 1]},
        {"example_id": "good", "target_id": 1, "text": SHORT, "todo": [0, 1]},
    ]
    (part,) = extract(iter([pa.RecordBatch.from_pylist(asked)]), how)
    found = part.to_pylist()
    assert [(row["example_id"], row["source"], row["error_code"]) for row in found] == [
        ("bad", "lime", code), ("bad", "shap", code), ("good", "lime", None), ("good", "shap", None),
    ]  # fmt: skip
    assert all(row["message"] and row["values"] is None for row in found[:2])
    assert found[2:] == list(rows(how, {"good": SHORT}).values())


def test_a_text_whose_p_is_not_finite_is_rejected_and_its_neighbour_is_not(tmp_path: Path) -> None:
    folder = save(tmp_path / "lm")
    tensors = load_file(folder / "model.safetensors")
    from transformers import AutoTokenizer

    tokenizer = AutoTokenizer.from_pretrained(folder)
    (broken,) = set(tokenizer("Z", add_special_tokens=False)["input_ids"])
    assert broken > 9  # tokens 1 to 9 are read when the model is loaded
    tensors["model.embed_tokens.weight"][broken] = float("nan")
    save_file(tensors, folder / "model.safetensors", metadata={"format": "pt"})
    for template in TEMPLATES:
        found = rows(plan(folder, template), {"a": "where Z is", "b": SHORT})
        for (example_id, source), row in found.items():
            assert row["error_code"] == ("nonfinite" if example_id == "a" else None)
            assert example_id == "b" or row["message"].startswith(f"{source} must be finite")


def test_another_seed_or_example_draws_other_masks_and_a_text_shown_whole_has_one_p(folder: Path) -> None:
    """That CAP and LIME are fitted to the same masks, those of (seed, example), is what their twins above are compared under."""
    base, other, seeded = (rows(how, {name: LONG}) for how, name in ((plan(folder), "a"), (plan(folder), "b"), (plan(folder, seed=4), "a")))
    values = [found[name, "cap"]["values"] for found, name in ((base, "a"), (other, "b"), (seeded, "a"))]
    assert values[0] != values[1] and values[0] != values[2]
    whole = [found[name, "cap"]["whole_p"] for found, name in ((base, "a"), (other, "b"), (seeded, "a"))]
    np.testing.assert_allclose(whole, whole[0], rtol=1e-5)  # other masks beside it: other last bits
