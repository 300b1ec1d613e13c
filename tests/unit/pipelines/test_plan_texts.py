"""Does an estimate for texts count what the engine does, and add it up as the run would spend it?"""

from __future__ import annotations

import io
from collections import Counter
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from bronze.build import Source
from bronze.reference import Reference
from bronze.settings import DecodeSettings, SourceSettings, SplitSettings
from lake.identity import content_id
from models.label_scorer.training_settings import LabelScorerTraining
from models.text_backbone import resolve_text_backbone
from models.text_masked_value import TextMaskedValue
from models.text_recipe import PriorRecipe, TextRecipe
from models.text_scoring import TextScoring
from pipelines.check.drawn import Drawn
from pipelines.check.tried_attacks import tried_shifts
from pipelines.check.tried_texts import TriedTexts, text_shape
from pipelines.plan.adapters import fingerprints
from pipelines.plan.calibrate_texts import TextCosts, calibrate_texts
from pipelines.plan.calibrate_verbs import TextWork, measured
from pipelines.plan.estimate import STAGE_SECONDS, Line, Machine
from pipelines.plan.pace import Pace, pace_of, padded_tokens, refilled
from pipelines.plan.prior_costs import PriorCosts, prior_costs
from pipelines.plan.row_bytes import TextShape, text_row_bytes
from pipelines.plan.table_of_lines import write_lines
from pipelines.plan.text_counts import n_chosen, rows_of_job
from pipelines.plan.text_forwards import PerText, asked_per_text, per_text, training_forwards
from pipelines.plan.text_lines import TextSize, text_lines
from pipelines.plan.text_training_costs import TextTrainingCosts, TrainingPace, text_training_costs
from silver.adapters.offers import Zoo
from silver.priors.jobs import jobs_of, prior_jobs
from silver.priors.settings import PriorSettings, ScorerSource
from silver.settings import AdapterSettings, default_explanations
from tests.lakes import config_of
from tests.text_folders import SENTENCES, save_text

LABELS = ("alarm", "card")
PLAIN = TextRecipe(name="plain", rank=2, epochs=3, use_dora=False)
CAP = TextRecipe(name="cap", rank=2, epochs=3, use_dora=False, kind="cap_hybrid",
                 priors=PriorRecipe(sources=("cap", "ig", "lime"), n=8, ig_steps=2))  # fmt: skip


@pytest.fixture(scope="module")
def work(tmp_path_factory: pytest.TempPathFactory) -> tuple[TextWork, TextTrainingCosts, Source]:
    """A two-layer backbone, a plain and a steered recipe trained for a moment, six texts."""
    folder = tmp_path_factory.mktemp("plan-texts")
    backbone = resolve_text_backbone(str(save_text(folder / "backbone", "roberta")))
    (folder / "data").mkdir()
    texts = SENTENCES[:6]
    (folder / "data" / "a.csv").write_text("text,label\n" + "".join(f'"{text}",{LABELS[n % 2]}\n' for n, text in enumerate(texts)))
    config = config_of(
        folder / "c.yaml",
        {"dataset": "d", "source": {"reader": "table", "root": str(folder / "data")}, "backbone": {"name": str(folder / "backbone")}},
    )
    scoring = TextScoring(backbone, "float32", 4)
    label_ids = tuple(n % 2 for n in range(len(texts)))
    tried = TriedTexts(texts, np.array(label_ids, dtype=np.int64))
    training = text_training_costs([PLAIN, CAP], Zoo("d", LABELS, scoring, AdapterSettings(), folder / "a"), tried, folder / "t", 0.0)
    contents = [text.encode() for text in texts]
    drawn = tuple(
        Drawn(Reference(f"a.csv#{n}", "a.csv", n, LABELS[n % 2], "a", field="text"), content, content_id("text", content))
        for n, content in enumerate(contents)
    )
    shifts = tried_shifts(config, scoring, LABELS, [one.example_id for one in drawn], label_ids, texts)
    source = Source("d", SourceSettings(reader="table", root=str(folder / "data")), SplitSettings(), DecodeSettings(), 0.1)
    return TextWork(drawn, label_ids, scoring, scoring, default_explanations("text"), shifts, False, training.adapter), training, source


def test_the_engine_evaluates_about_as_many_masks_as_are_counted(
    work: tuple[TextWork, TextTrainingCosts, Source], monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: Counter[str] = Counter()
    real = TextMaskedValue.__call__

    def counting(self: TextMaskedValue, rows: np.ndarray, keep: np.ndarray) -> np.ndarray:
        asked["rows"] += len(rows)
        return real(self, rows, keep)

    monkeypatch.setattr(TextMaskedValue, "__call__", counting)
    own = work[0].explanations.model_copy(update={"methods": ("attention",)})  # it asks no masks itself
    measured(replace(work[0], explanations=own), 6)
    n_words = [len(text.split()) for text in SENTENCES[:6]]
    counted = per_text(own, n_words).metrics * 6
    # Of five to seven words many orders share a mask by chance, in the counting's one draw as in the engine's.
    assert asked["rows"] == pytest.approx(counted, rel=0.25)


def test_every_part_is_measured_and_methods_apart(work: tuple[TextWork, TextTrainingCosts, Source]) -> None:
    found = calibrate_texts(work[0], work[2], 0.0, 1)
    assert set(found.methods) == {"attention", "ig", "occlusion", "lime", "kernel_shap"}
    assert set(found.stages) == set(COSTS.stages) and found.crowding == 1.0
    assert all(pace.seconds > 0 and pace.n == 1 for pace in (*found.stages.values(), *found.methods.values()))


def test_plain_and_steered_training_have_prices_of_their_own(work: tuple[TextWork, TextTrainingCosts, Source]) -> None:
    paces = work[1].paces
    assert set(paces) == {text_shape(PLAIN), text_shape(CAP)} and text_shape(CAP).endswith("steered by a prior with 2 steps")
    assert all(pace.text > 0 for pace in paces.values()) and work[1].merged_bytes > work[1].adapter_bytes > 0


def test_a_scorer_that_the_run_trains_is_trained_for_a_moment_and_asked(tmp_path: Path) -> None:
    training = LabelScorerTraining(width=16, depth=1, heads=2, kv_heads=1, mlp_width=16, vocabulary=260)
    settings = PriorSettings(scorer=ScorerSource(train=training))
    examples = TriedTexts(SENTENCES[:4], np.array([0, 1, 0, 1])).examples(4, steered=False)
    jobs = prior_jobs([CAP])
    found = prior_costs(settings, LABELS, jobs, examples, tmp_path, 0.0)
    assert found.training is not None and found.training > 0 and not found.untimed
    assert set(found.asked) == {("labelled", 8), ("plain", 8)} and all(pace.seconds > 0 for pace in found.asked.values())
    unread = PriorSettings(scorer=ScorerSource(train=training.model_copy(update={"max_tokens": 16})))
    assert prior_costs(unread, LABELS, jobs, examples, tmp_path / "b", 0.0).untimed


def test_masked_texts_of_a_prior_are_counted_once_each_and_shapley_values_ask_every_subset_of_a_short_text() -> None:
    settings = PriorSettings()
    # two words: the drawn masks can only be three different ones (never the empty one), all subsets are four
    assert asked_per_text(settings, "labelled", 20, [("a", "b")]) == 3
    assert asked_per_text(settings, "plain", 20, [("a", "b")]) == 4
    assert asked_per_text(settings, "labelled", 20, [tuple("abcdefghijklmnopqrst")]) <= 20


def test_a_step_along_the_path_counts_two_passes_and_each_pass_one_forward_and_two_backward() -> None:
    # plain: 3 epochs x (3 x 10 + 4); steered by 2 steps: each training text is 1 + 2 x 2 passes
    assert training_forwards(PLAIN, 10, 4) == 3 * (30 + 4)
    assert training_forwards(CAP, 10, 4) == 3 * (150 + 4)


def test_shots_bound_the_texts_of_every_label() -> None:
    assert n_chosen(TextRecipe(name="r", train_share=0.5), 100, 7) == 50
    assert n_chosen(TextRecipe(name="r", shots=5), 100, 7) == 35 and n_chosen(TextRecipe(name="r", shots=50), 100, 7) == 100
    # cap: a row a text; lime and shap: both whenever one is asked for; ig: one
    assert sorted(rows_of_job(job, 100, 7) for job in jobs_of(CAP)) == [100, 100, 200]


STAGES = ("bronze.examples", "bronze.embeddings", "silver.predictions", "silver.attributions", "silver.explanation_metrics",
          "ood.attacked_texts")  # fmt: skip
COSTS = TextCosts({name: Pace(0.5, 64) for name in STAGES}, {}, 0.0, 1.0, 1.0)
SIZE = TextSize(100, 20, 64, 2, 2, 0, {}, {"silver.predictions": 1, "silver.attributions": 5, "silver.explanation_metrics": 8,
                "ood.attacked_texts": 6, "ood.predictions": 7}, PerText(60, 150), (), (), (), (), (), {}, 8, 3, 0, 1000)  # fmt: skip
MACHINE = Machine(2, dict.fromkeys((*STAGES, "ood.predictions", "silver.priors", "silver.outside_predictions"), 100.0))
TRAINING = TextTrainingCosts({text_shape(PLAIN): TrainingPace(0.1, 1.0), text_shape(CAP): TrainingPace(0.4, 1.0)}, 0.5, 10, 100, None)  # type: ignore[arg-type]  # nothing is scored here


def lines_of(size: TextSize, priors: PriorCosts | None = None) -> dict[str, Line]:
    return {line.stage: line for line in text_lines(size, COSTS, TRAINING, priors or PriorCosts(), 0.0, MACHINE)}


def test_a_stage_costs_its_texts_over_the_workers_plus_what_every_stage_pays() -> None:
    found = lines_of(replace(SIZE, to_do={"silver.attributions": 640, "ood.attacked_texts": 384, "ood.predictions": 896}))
    # 128 pairs of text and adapter; 64 texts edited once for all adapters; 128 pairs through 7 cells, after the edits; half a second
    # each, two workers
    assert found["silver.attributions"].seconds == pytest.approx(128 * 0.5 / 2 + STAGE_SECONDS)
    assert found["silver.attributions"].forwards == 128 * 60
    assert found["ood.attacked_texts"].seconds == pytest.approx(64 * 0.5 / 2 + STAGE_SECONDS)
    assert found["ood.predictions"].seconds == pytest.approx((896 * 0.5 + 64 * 0.5) / 2 + STAGE_SECONDS)
    assert found["ood.predictions"].forwards == 896


def test_answers_to_texts_of_no_class_cost_what_other_answers_do_and_adapters_are_loaded_once() -> None:
    costs = replace(COSTS, load=3.0)
    both = replace(SIZE, to_do={"silver.predictions": 128, "silver.outside_predictions": 40})
    lines = [line for line in text_lines(both, costs, TRAINING, PriorCosts(), 0.0, MACHINE) if line.stage.endswith("predictions")]
    assert [line.stage for line in lines] == ["silver.predictions", "silver.outside_predictions"]
    # 128 and 40 answers of half a second on two workers; two adapters loaded by each, in 3 s
    assert [line.seconds for line in lines] == pytest.approx([128 * 0.5 / 2 + 2 * 3 + STAGE_SECONDS, 40 * 0.5 / 2 + STAGE_SECONDS])
    assert (lines[1].rows, lines[1].forwards, lines[1].bytes) == (40, 40, 40 * 100)
    alone = replace(SIZE, to_do={"silver.outside_predictions": 40})
    (line,) = text_lines(alone, costs, TRAINING, PriorCosts(), 0.0, MACHINE)[:1]
    assert line.seconds == pytest.approx(40 * 0.5 / 2 + 2 * 3 + STAGE_SECONDS)
    assert text_row_bytes(TextShape(7, 5.0, 8, False, 30.0))["silver.outside_predictions"] == 40 + 6 * 8 + 4 * 7


def test_what_is_steered_waits_for_what_is_plain() -> None:
    size = replace(SIZE, n_new_adapters=2, plain=(PLAIN,), steered=(CAP,))
    # 100 texts x 3 epochs and 20 validated at 0.5 s; two phases of one task each, one after the other; two adapters judged two at a time
    plain, steered = 1 + 3 * (100 * 0.1 + 20 * 0.5), 1 + 3 * (100 * 0.4 + 20 * 0.5)
    assert lines_of(size)["silver.adapters"].seconds == pytest.approx(plain + steered + 0.5 + STAGE_SECONDS)


def test_priors_cost_the_scorers_training_and_what_it_is_asked_or_are_said_to_be_untimed() -> None:
    (job,) = (job for job in prior_jobs([CAP]) if job.template == "labelled")
    size = replace(SIZE, to_do={"silver.priors": 100}, jobs=(job,), asked={job: 8.0})
    timed = PriorCosts(0.01, {("labelled", 8): Pace(0.2, 4)})
    # 3 epochs of 100 texts on the driver; 100 texts asked by two workers
    assert lines_of(size, timed)["silver.priors"].seconds == pytest.approx(3.0 + 100 * 0.2 / 2 + STAGE_SECONDS)
    untimed = lines_of(size, PriorCosts(untimed="16 GB"))["silver.priors"]
    assert (untimed.forwards, untimed.seconds, untimed.untimed) == (800, 0.0, "16 GB")
    told = io.StringIO()
    write_lines([untimed, Line("gold", 0, 0, 3600.0, 0.0)], told)
    assert "not timed" in told.getvalue().splitlines()[1] and " 1.000 " in told.getvalue().splitlines()[-1]


def test_batches_that_few_texts_leave_empty_are_not_counted_for_all() -> None:
    # Buckets 16 and 32, batches of 4. One text of 10 tokens: a batch of 4 x 16 for one. All three: 4 x 16 for two and 4 x 32 for one.
    lengths = np.array([10, 12, 20])
    assert padded_tokens(lengths[:1], (16, 32), 4) == 64 and padded_tokens(lengths, (16, 32), 4) == 192
    assert refilled(Pace(1.0, 1), lengths, (16, 32), 4) == Pace(pytest.approx(1.0 * (192 / 3) / 64), 1)
    assert refilled(Pace(1.0, 3), lengths, (16, 32), 4) == Pace(pytest.approx(1.0), 3)


def test_more_texts_are_tried_only_while_they_fit_the_budget() -> None:
    tried: list[int] = []

    def work_of(n: int) -> float:
        tried.append(n)
        return 0.1 * n

    assert pace_of(work_of, 64, 1.0) == Pace(pytest.approx(0.1), 4) and tried == [1, 1, 4]  # 16 would take 1.6 s
    tried.clear()
    assert pace_of(work_of, 6, 9.0).n == 6 and tried == [1, 1, 4, 6]
    tried.clear()
    assert pace_of(work_of, 6, 0.0).n == 1 and tried == [1]


def test_a_steered_adapter_is_looked_for_under_every_prior_that_was_made_and_no_recipe_before_its_texts_are_collected(
    tmp_path: Path,
) -> None:
    plain = tmp_path / "training" / "d-1"
    for name in ("d-1", "d-2"):
        (tmp_path / "training" / name).mkdir(parents=True)
    (tmp_path / "training" / "d-2" / "fingerprint.txt").write_text("steered")
    assert fingerprints(plain, steered=True) == []
    (plain / "fingerprint.txt").write_text("plain")
    assert fingerprints(plain, steered=False) == ["plain"] and fingerprints(plain, steered=True) == ["plain", "steered"]
