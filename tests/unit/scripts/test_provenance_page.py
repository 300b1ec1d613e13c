"""docs/provenance.md: its figures are those of the rows, its words those of the intervals, and what is absent is left out."""

from __future__ import annotations

from collections.abc import Callable
from types import ModuleType
from typing import Any
from xml.etree import ElementTree

import pandas as pd
import pytest

from tests.unit.scripts.provenance_rows import causal, embedded, frame, key, net, other, seeds

Script = Callable[[str], ModuleType]
# Half of Student's 95 % interval over three values with sd s is 4.3027 s / sqrt(3): 0.0497 for s = 0.02.


def study(script: Script, dataset: str = "mnist", **tables: list[dict[str, Any]]) -> Any:
    frames = {name: frame(name, rows) for name, rows in tables.items()}
    return script("provenance_read").Study(dataset, "a-lake", frames)


def test_a_mean_over_seeds_has_students_interval_and_one_seed_wilsons(script: Script) -> None:
    figures = script("provenance_figures")
    assert figures.cell(figures.over_seeds(pd.Series([0.88, 0.9, 0.92]), 100)) == "0.900 (0.850 to 0.950)"
    # Wilson of 50 of 100: 0.404 to 0.596; of 100 of 100: z^2 = 3.8415, 100 / 103.8415 = 0.963.
    assert figures.cell(figures.over_seeds(pd.Series([0.5]), 100)) == "0.500 (0.404 to 0.596)†"
    assert figures.cell(figures.over_seeds(pd.Series([1.0, 1.0, 1.0]), 100)) == "1.000 (0.963 to 1.000)†"
    assert figures.cell(figures.over_seeds(pd.Series([None]), 100)) == "–"


def test_the_usual_network_is_the_one_most_rows_have_and_others_are_matched_by_what_they_read(script: Script) -> None:
    networks = script("provenance_networks")
    rows = [
        *seeds(),
        *seeds(alpha=0.5),
        *seeds(model_size="small"),
        net(subset=1.0),
        net(teacher_forcing=False),
        *seeds("plain"),
        *seeds("single_branch"),
    ]
    nets = frame("summary", rows)
    network = networks.usual(nets)
    assert network["alpha"] == 0.0 and network["model_size"] == "large" and network["subset"] == 0.3
    found = networks.variants(nets, network)
    assert {name: len(own) for name, own in found.items()} == {
        "plain": 3, "single_branch": 3, "class_conditional": 3, "class_conditional, no teacher forcing": 1
    }  # fmt: skip


def test_a_factor_is_judged_by_differences_paired_by_seed(script: Script) -> None:
    rows = [*seeds(top5_index=[0.9, 0.8, 0.7]), *seeds(alpha=0.5, top5_index=[0.8, 0.68, 0.56]), net(alpha=0.25, top5_index=0.85)]
    (text,) = script("provenance_parts").factor_parts(study(script, summary=rows))
    assert "### mnist: label mixing" in text
    # Differences -0.10, -0.12, -0.14: mean -0.12, half 0.0497. Unpaired, the means' intervals would overlap.
    assert "- alpha 0.5: class accuracy +0.0000 (+0.0000 to +0.0000), not seen to differ;" in text
    assert "top-5 index -0.1200 (-0.1697 to -0.0703), lower (3 seeds)." in text
    assert "- alpha 0.25: class accuracy +0.0000; top-1 index +0.0000; top-5 index -0.0500 (1 seed, no verdict)." in text


def test_sharing_interferes_where_a_figure_is_surely_lower_than_at_the_least_sharing(script: Script) -> None:
    rows = [*seeds(), *seeds(sharing_level="I", top1_index=[0.58, 0.6, 0.62]), *seeds(sharing_level="IV", top1_index=[0.2, 0.6, 0.7])]
    rows += [net(model_size="small"), net(model_size="small", sharing_level="I")]
    text = script("provenance_parts").sharing_part(study(script, summary=rows))
    # III: 0.5 - (0.58, 0.60, 0.62), mean -0.10, half 0.0497. IV: -0.38, 0, 0.08 holds 0.
    assert (
        "- large, level III against I: class accuracy +0.0000 (+0.0000 to +0.0000), not seen to differ; "
        "top-1 index -0.1000 (-0.1497 to -0.0503), lower;" in text
    )
    assert "- small, level III against I: " in text and "(1 seed, no verdict)" in text
    assert text.endswith(
        "Sharing is seen to interfere: top-1 index: large at III. It is seen to help: nowhere. "
        "Of these 6 intervals 0.3 would leave out 0 by chance if nothing differed.\n"
    )


@pytest.mark.parametrize(
    ("at_half", "said"),
    [([0.38, 0.4, 0.42], "it falls here too"), ([0.58, 0.6, 0.62], "here it rises"), ([0.3, 0.5, 0.7], "a change is not seen here")],
)
def test_the_sources_fall_is_held_beside_ours(script: Script, at_half: list[float], said: str) -> None:
    rows = [*seeds(), *seeds(subset=0.5, n_train=5000, top1_index=at_half)]
    text = script("provenance_parts").subset_part(study(script, summary=rows))
    assert "fall from 0.797 with 30% of its pictures to 0.699 with 50%" in text and "The share of 10,000 training pictures" in text
    assert "from 0.500 with 3,000 pictures to" in text and text.endswith(f"over 3 seeds: {said}.\n")


def test_a_figure_of_the_source_is_reached_only_where_the_whole_interval_is(script: Script) -> None:
    parts, figures = script("provenance_parts"), script("provenance_figures")
    told = [parts.reached(figures.Figure(mean, low, high, 3, False), 0.95) for mean, low, high in (
        (0.96, 0.95, 0.97), (0.96, 0.94, 0.98), (0.94, 0.92, 0.96), (0.9, 0.88, 0.92),
    )]  # fmt: skip
    assert told == ["reached", "reached by the mean alone", "not reached by the mean", "not reached"]


def test_the_sources_figures_are_told_of_its_own_pictures_alone(script: Script) -> None:
    parts = script("provenance_parts")
    rows = [*seeds(top5_index=[0.97, 0.97, 0.98]), *seeds("two_branch", top5_index=[0.5, 0.5, 0.51]), *seeds("plain")]
    rows += [net(subset=1.0, n_train=10000, top5_index=0.6)]
    text = parts.reached_part(study(script, summary=rows))
    assert "- 3,000 pictures: both figures on training inputs are reached by class_conditional.\n" in text
    assert "- 10,000 pictures: both figures on training inputs are reached by no network.\n" in text
    # All training inputs right by every seed: Wilson's lower end of 3,000 is 0.9987; meta's 0.9 in every seed is below 0.99.
    assert "| class_conditional, 3,000 | 1.000 (0.999 to 1.000)† | reached | 0.900 (0.900 to 0.900) | not reached |" in text
    assert "| plain" not in text
    assert parts.reached_part(study(script, "fashion_mnist", summary=rows)) == ""


def test_the_true_slots_are_told(script: Script) -> None:
    rows = [*seeds(), net(subset=1.0, n_train=10000, slots=1127), *seeds("two_branch", slots=3000)]
    text = script("provenance_parts").costs_part(study(script, summary=rows))
    assert text.endswith("The class-conditional head has at most 338 for 3,000 pictures and 1,127 for 10,000 pictures.\n")
    assert "| two_branch | 3,000 | 3,000 | 100 | 10.0 |" in text and "| 100%, class_conditional | 10,000 | 1,127 |" in text


def test_robustness_is_a_difference_from_plain_over_seeds(script: Script) -> None:
    def met(
        variant: str, shift: str, severity: int, accuracy: float, apart: list[float], parameter: float | None = None
    ) -> list[dict[str, Any]]:
        own = {"shift": shift, "severity": severity, "parameter": parameter, "class_accuracy": accuracy, "n": 50}
        return [other("robustness", **key(variant, seed), **own, difference_from_plain=apart[seed]) for seed in range(3)]

    rows = [
        *met("plain", "blur", 1, 0.5, [0.0] * 3),
        *met("plain", "blur", 2, 0.3, [0.0] * 3),
        *met("plain", "pgd", 1, 0.1, [0.0] * 3, 0.05),
    ]
    rows += [*met("class_conditional", "blur", 1, 0.5, [0.1, 0.12, 0.14]), *met("class_conditional", "blur", 2, 0.5, [0.3, 0.32, 0.34])]
    rows += met("class_conditional", "pgd", 1, 0.1, [-0.1, 0.0, 0.1], 0.05)
    text = script("provenance_uses").robustness_part(study(script, summary=[*seeds(), *seeds("plain")], robustness=rows))
    # Mean over severities per seed: 0.20, 0.22, 0.24; half 0.0497. PGD: sd 0.1, half 0.2484.
    assert "| blur | 0.400 (0.400 to 0.400) | +0.2200 (+0.1703 to +0.2697) |" in text
    assert "| all corruptions | 0.400 (0.400 to 0.400) | +0.2200 (+0.1703 to +0.2697) |" in text
    assert "| pgd, epsilon 0.05 | 0.100 (0.100 to 0.100) | +0.0000 (-0.2484 to +0.2484) |" in text and "50 pictures; FGSM" in text


def test_told_wrong_classes_with_and_without_teacher_forcing(script: Script) -> None:
    def told(forced: bool, share: float, top5: list[float]) -> list[dict[str, Any]]:
        return [
            other("class_errors", **key(seed=s, teacher_forcing=forced), wrong_share=share, top5_index=top5[s], n=3000) for s in range(3)
        ]

    rows = [
        *told(True, 0.0, [0.9] * 3),
        *told(True, 0.5, [0.45] * 3),
        *told(False, 0.0, [0.88, 0.9, 0.92]),
        *told(False, 0.5, [0.33, 0.35, 0.37]),
    ]
    text = script("provenance_uses").class_errors_part(study(script, summary=seeds(), class_errors=rows))
    assert "| 50% | 0.450 (0.450 to 0.450) | 0.350 (0.300 to 0.400) |" in text
    said = (
        "+0.0000 (-0.0497 to +0.0497) at 0% told wrong (not seen to differ, 3 seeds); "
        "-0.1000 (-0.1497 to -0.0503) at 50% told wrong (lower, 3 seeds)."
    )
    assert text.endswith(f"Without teacher forcing, top-5 index against with it: {said}\n")


def test_membership_of_one_seed_has_the_lakes_own_interval(script: Script) -> None:
    ends = {"membership_auc_ci_low": 0.7, "membership_auc_ci_high": 0.9, "membership_tpr": 0.25, "n_members": 3000}
    one = net(membership_auc=0.8, **ends, membership_auc_class=0.6, privacy="it leaks.")
    text = script("provenance_uses").membership_part(study(script, summary=[one, *seeds("plain", membership_auc=[0.5, 0.52, 0.54])]))
    assert "| class_conditional | 1 | 0.800 (0.700 to 0.900)† | 0.250 (" in text and "| plain | 3 | 0.520 (0.470 to 0.570) |" in text
    assert "- class_conditional, seed 0: it leaks.\n" in text and "3,000 training inputs, 2,000 of meta" in text


def test_wrong_labels_stand_as_precision_and_recall(script: Script) -> None:
    rows = [
        other(
            "mislabels",
            method=m,
            flipped=0.05,
            seed=s,
            checked=0.1,
            precision=0.4,
            recall=[0.78, 0.8, 0.82][s],
            average_precision=a,
            n=3000,
        )
        for m, a in (("index_head", 0.5), ("knn", 0.75))
        for s in range(3)
    ]
    text = script("provenance_uses").mislabels_part(study(script, mislabels=rows))
    assert "5% flipped:\n\n| looked at | index_head | knn |" in text
    assert "| 10.0% | 0.400 / 0.800 (0.750 to 0.850) | 0.400 / 0.800 (0.750 to 0.850) |" in text
    assert "| average precision | 0.500 (0.500 to 0.500) | 0.750 (0.750 to 0.750) |" in text


LESS, NONE, MORE = (-0.03, -0.05, -0.01), (0.001, -0.02, 0.022), (0.04, 0.01, 0.07)
THEIRS = "the training examples that the index head names"
THAN = "than on random ones of the class"
MIXED = (
    f"Of {THEIRS}, held against random ones of the class, predictions rest on them more with the head fitted again (k 5); no "
    "difference is seen with the head fitted again (k 20) (mean differences of p -0.0300 to +0.0010)."
)


@pytest.mark.parametrize(
    ("checks", "said"),
    [
        ((LESS, LESS), f"Predictions rest on {THEIRS} more {THAN}, in every check (mean difference of p -0.0300)."),
        (
            (NONE, NONE),
            f"There is no evidence that predictions rest on {THEIRS} more {THAN}, in any check (mean difference of p +0.0010).",
        ),
        ((MORE, MORE), f"Predictions rest on {THEIRS} less {THAN}, in every check (mean difference of p +0.0400)."),
        ((LESS, NONE), MIXED),
        ((None, None), f"Of {THEIRS} there are too few test examples for an interval."),
    ],
)
def test_the_conclusion_says_what_all_intervals_say(script: Script, checks: tuple[Any, Any], said: str) -> None:
    rows = [causal("head", "index_head", k, ends, None) for k, ends in zip((5, 20), checks, strict=True)]
    assert script("provenance_causal").conclusion(frame("causal", rows)) == said


def test_peers_are_held_against_random_examples_and_against_the_head(script: Script) -> None:
    rows = [causal("head", "index_head", 5, NONE, None), causal("head", "knn", 5, LESS, LESS), causal("whole_net", "knn", 20, LESS, LESS)]
    rows += [causal("head", "tracin", 5, MORE, MORE), causal("head", "random", 5, None, NONE)]
    text = script("provenance_causal").peers_told(frame("causal", rows))
    assert "Predictions rest on the training examples that kNN names more than on random ones of the class, in every check" in text
    assert "kNN's examples matter more than the index head's in every check (mean difference of p -0.0300)." in text
    assert "TracIn's examples matter less than the index head's in every check (mean difference of p +0.0400)." in text
    assert "60 test examples and 3 seeds (head fitted again) and 10 test examples and 1 seed (whole network trained again)" in text


def test_every_causal_row_stands_with_its_interval_and_its_sentence(script: Script) -> None:
    rows = [causal("head", "random", 5, None, NONE), causal("head", "index_head", 5, LESS, None)]
    text = script("provenance_causal").causal_part(study(script, causal=rows))
    line = "| head | 5 | the index head | -0.1000 (-0.2000 to +0.0000) | -0.0300 (-0.0500 to -0.0100) | – | 60 | 3 |\n"
    assert f"{line}| head | 5 | random | -0.1000 (-0.2000 to +0.0000) | – | +0.0010 (-0.0200 to +0.0220) | 60 | 3 |" in text
    assert "- head index_head 5: said by the lake.\n- head random 5: said by the lake.\n" in text


def test_heads_over_embeddings_differ_only_where_intervals_are_apart(script: Script) -> None:
    rows = [
        embedded("class_conditional", (0.9, 0.87, 0.93), (0.9, 0.87, 0.93)), embedded("knn_plain", (0.8, 0.76, 0.84), (0.88, 0.85, 0.91)),
        embedded("plain", (0.95, 0.94, 0.96), slots=None),
    ]  # fmt: skip
    heads = [
        other("heads", head_id="h", status="ready", n_classes=44),
        other("heads", head_id="i", name="bad", status="rejected", reason="no rows"),
    ]
    text = script("provenance_heads").heads_part([study(script, "caltech101", summary=rows, heads=heads)])
    assert "| caltech101, 44 | class_conditional (slots) | 3,000 | 338 | 0.900 (0.870 to 0.930) | 0.900 | 0.900 (0.870 to 0.930) |" in text
    assert (
        "- caltech101: class_conditional (slots): class accuracy is above kNN's, class accuracy is below logistic regression's and the "
        "share of first examples of the true class has an interval that overlaps kNN's (500 of meta).\n"
    ) in text
    assert "- caltech101: head `bad` was rejected: no rows.\n" in text


def test_what_is_absent_is_left_out(script: Script) -> None:
    page = script("provenance_page").page
    text = page(
        [study(script, summary=[*seeds(), *seeds("plain")]), study(script, "caltech101", summary=[embedded("knn_plain", (0.8, 0.7, 0.9))])]
    )
    titles = [line for line in text.splitlines() if line.startswith("#")]
    assert titles == [
        "# Which training examples stand behind a prediction?",
        "## mnist",
        "### mnist: networks beside the plain classifier and kNN",
        "### mnist: the source's two figures",
        "### mnist: what it costs, and how large the index head is",
        "## Heads over embeddings",
    ]
    assert "{" not in text and " nan" not in text


def test_verdicts_are_counted_and_told_in_the_lakes_own_words(script: Script) -> None:
    said = [("better", "a is better."), ("no_evidence", "b is not."), (None, "c has one seed.")]
    rows = [other("verdict", question=s, variant="v", against="w", verdict=v, sentence=s) for v, s in said]
    text = script("provenance_parts").verdicts_part(study(script, verdict=rows))
    assert "Of 3 comparisons, 1 say better, 0 worse, 1 no evidence, 1 without an interval." in text
    assert text.endswith("- a is better.\n- b is not.\n- c has one seed.\n")


def test_a_line_lies_where_its_values_say_and_values_below_the_scale_set_its_beginning(script: Script) -> None:
    chart: Any = script("provenance_chart")
    panel = chart.Panel("p", (chart.Line("a", (0.1, 0.62, 0.9, 1.0)),))
    assert chart.low_end(panel) == pytest.approx(0.6)  # the first quarter, one epoch, may lie below
    svg = ElementTree.fromstring(chart.curves("t", "n", [panel]))  # noqa: S314  # our own text
    (line,) = svg.iter("{http://www.w3.org/2000/svg}polyline")
    points = [tuple(map(float, point.split(","))) for point in line.attrib["points"].split()]
    right, bottom = chart.LEFT + chart.WIDTH, chart.TOP + chart.HEIGHT
    assert points[-1] == (right, chart.TOP) and points[2][1] == pytest.approx(bottom - 0.75 * chart.HEIGHT)
    assert points[0][0] == chart.LEFT and points[0][1] > bottom
    with pytest.raises(ValueError, match=r"shares in 0\.\.1"):
        chart.curves("t", "n", [chart.Panel("p", (chart.Line("a", (1.2,)),))])
