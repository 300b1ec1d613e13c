"""Does the house keep its own rules: rooms complete, public names pinned, files small, one thing per place?"""

from __future__ import annotations

import ast
import importlib
import pkgutil
import re
from pathlib import Path

import pytest

from lake.audit import CELLS
from lake.spec import Table
from pipelines.tables import TABLES

ROOT = Path(__file__).resolve().parent.parent
ROOMS = ("bronze", "gold", "lake", "models", "ood", "pipelines", "silver", "xai")
BY_NAME = {table.full_name: table for table in TABLES}

# CONTRACTS 3: names that jobs, SQL users and checks depend on. Add freely; rename never.
PINNED = {
    "bronze.examples": ("dataset example_id settings_id", "modality split label_id label image text source_path notes"),
    "bronze.references": ("dataset source_path settings_id", "example_id"),
    "bronze.rejected": ("dataset source_path stage settings_id", "error_code message run_id"),
    "bronze.embeddings": ("dataset example_id backbone settings_id", "pooled units n_units dim"),
    "silver.adapters": (
        "dataset adapter_id settings_id",
        (
            "name backbone recipe recipe_sha256 rank alpha seed use_dora use_rslora trainable_parameters trainable_share train_loss "
            "eval_loss accuracy f1 precision recall minutes weights_sha256 status reason recipe_settings"
        ),
    ),
    "silver.predictions": (
        "dataset example_id adapter_id settings_id",
        "predicted_id confidence margin softmax_entropy energy pnorm_logit is_correct logits",
    ),
    "silver.attributions": ("dataset example_id adapter_id method settings_id", "target_id values n_units words"),
    "silver.explanation_metrics": ("dataset example_id adapter_id method metric_group settings_id", "metrics"),
    "silver.outside_predictions": ("dataset example_id adapter_id settings_id", "predicted_id confidence softmax_entropy energy logits"),
    "silver.priors": ("dataset example_id source scorer settings_id", "values words"),
    "silver.heads": (
        "dataset head_id settings_id",
        "name variant backbone training_fingerprint n_train n_slots parameters seconds class_accuracy top1_index top5_index status",
    ),
    "silver.exemplars": (
        "dataset example_id head_id rank settings_id",
        "train_example_id probability same_class train_label_id predicted_id distance",
    ),
    "ood.predictions": (
        "dataset example_id adapter_id corruption severity settings_id",
        "parameter predicted_id confidence is_correct flipped",
    ),
    "ood.attacked_texts": ("dataset example_id attack severity settings_id", "original edited rule positions"),
    "gold.correlations": (
        "dataset method feature scope",
        (
            "pearson_r pearson_p spearman_r spearman_p point_biserial_r cohens_d separation_ratio separation_ratio_pooled "
            "effect_size_label mean_correct mean_wrong std_correct std_wrong n"
        ),
    ),
    "gold.classifier_comparison": (
        "dataset protocol model",
        "accuracy roc_auc f1 precision recall specificity brier avg_precision cv_auc_mean cv_auc_std tp tn fp fn",
    ),
    "gold.feature_importance": (
        "dataset protocol feature",
        "xgb_importance rf_importance perm_importance perm_std lr_coef lr_odds_ratio",
    ),
    "gold.adapter_summary": ("dataset adapter_id", "clean_accuracy accuracy n"),
    "gold.slices": ("dataset adapter_id slice_by slice corruption severity", "accuracy ci_low ci_high flip_rate n"),
    "gold.corruption_settings": ("dataset corruption severity", "parameter value expected_impact"),
    "gold.rank_effect": ("dataset rank update_scale", "ood_accuracy ci_low ci_high n_adapters"),
    "gold.degradation": ("dataset adapter_id corruption severity", "accuracy drop_from_clean drop_from_shallow n"),
    "gold.qualitative_summary": ("dataset metric", "value"),
    "gold.quantitative_summary": ("dataset metric", "value"),
    "gold.xai_feature_ranking": ("dataset", "rank"),
    "gold.adapter_ranking": ("dataset", "rank"),
    "gold.worst_corruption": ("dataset", "rank"),
    "gold.training_summary": ("dataset adapter_id", "train_loss eval_loss accuracy f1 precision recall"),
    "gold.cap_hybrid_training": (
        "dataset setting priors fusion beta n_perturbations scorer seed",
        "accuracy comprehensiveness sufficiency adversarial_accuracy auroc_outside seconds leaky_prior",
    ),
    "gold.cap_hybrid_arms": (
        "dataset setting priors fusion beta n_perturbations scorer tuning metric",
        "mean standard_error n_seeds over_none over_shuffled over_logistic verdict_shuffled beats_logistic_regression",
    ),
    "gold.out_of_scope": (
        "dataset adapter_id setting shots_seed label_noise_seed score",
        "priors fusion beta seed n_in n_out auroc standard_error fpr95 n",
    ),
    "gold.prior_correlations": ("dataset scorer source_a source_b", "pearson_r spearman_r top10_overlap n"),
    "gold.prior_top_words": ("dataset scorer source label rank", "word score"),
    "gold.prior_homogeneity": ("dataset scorer source label_a label_b", "shared_mass discriminating_mass n beta fusion pair_id"),
    "gold.prior_precision": ("dataset scorer source", "precision_at_k n"),
    "gold.forecast_comparison": (
        "dataset protocol features model",
        (
            "auroc avg_precision aurc augrc fpr95 brier ece auroc_within_adapter n auroc_ci_low auroc_ci_high auroc_within_adapter_ci_low "
            "avg_precision_ci_high aurc_ci_low ece_ci_high leaky is_headline"
        ),
    ),
    "gold.forecast_verdict": (
        "dataset protocol",
        (
            "delta_auroc ci_low ci_high min_detectable_delta verdict sentence reason delta_within_adapter delta_within_adapter_ci_low "
            "delta_within_adapter_ci_high delta_over_control delta_over_control_ci_low delta_over_control_ci_high rule_sha256 "
            "delta_attributions delta_attributions_ci_low delta_exemplars delta_exemplars_ci_high"
        ),
    ),
    "gold.forecasts": (
        "dataset adapter_id corruption severity",
        "predicted_failure_rate ci_low ci_high observed_failure_rate cell_mean atc doc upper_bound origin forecaster n",
    ),
    "gold.forecast_check": ("dataset origin estimator", "bias mean_absolute_error spearman_adapters spearman_cells sentence n"),
    "gold.reliability": ("dataset protocol features model calibration bin", "mean_forecast failure_rate ci_low ci_high n"),
    "gold.coverage_risk": ("dataset protocol features model coverage", "error error_all ci_low ci_high n"),
    "meta.tables": ("name", "type comment"),
    "meta.columns": ("name", "type comment unit range"),
    "audit.runs": ("run_id", "versions config"),
    "audit.quality": ("run_id", "passed"),
    "audit.rejected": ("dataset table_name key settings_id", "error_code message"),
    "audit.cells": ("dataset table_name adapter_id corruption severity settings_id", "n_expected n_done"),
}


def python_files(room: str) -> list[Path]:
    return sorted((ROOT / room).rglob("*.py"))


@pytest.mark.parametrize("name", PINNED)
def test_the_public_names_of_a_table_are_there(name: str) -> None:
    key, columns = (text.split() for text in PINNED[name])
    table = BY_NAME[name]
    assert set(key) <= set(table.key), "a column others join on is no longer part of the key"
    assert set(columns) <= set(table.column_names)


@pytest.mark.parametrize("table", TABLES, ids=lambda table: table.full_name)
def test_a_table_says_what_it_and_each_of_its_columns_mean(table: Table) -> None:
    assert table.comment and all(column.comment for column in table.columns)
    assert table.key and not any(column.volatile for column in table.columns if column.name in table.key and column.name != "run_id")
    for column in table.columns:
        if column.low is not None and column.high is not None:
            assert column.low <= column.high, column.name


def test_dataset_is_the_first_key_and_every_computed_table_knows_its_settings() -> None:
    for table in TABLES:
        if table.layer in ("bronze", "silver", "ood", "gold"):
            assert table.key[0] == "dataset", table.full_name
        if table.layer in ("bronze", "silver", "ood"):
            assert "settings_id" in table.key, table.full_name
        if table.layer in ("silver", "ood") and table.name != "adapters":
            by_adapter = ("adapter_id",) if "adapter_id" in table.key else ()  # no adapter has a part in attacked texts and in priors
            assert table.partition_by == ("dataset", *by_adapter), table.full_name
    assert len(BY_NAME) == len(TABLES)
    assert CELLS.partition_by == ("dataset",)


@pytest.mark.parametrize("room", [*ROOMS, "jobs", "scripts", "tests"])
def test_no_file_collects_all_cases(room: str) -> None:
    sizes = {path: len(path.read_text().splitlines()) for path in python_files(room)}
    limit = 450 if room == "tests" else 300
    assert {str(path.relative_to(ROOT)): n for path, n in sizes.items() if n > limit} == {}


@pytest.mark.parametrize("room", ROOMS)
def test_every_file_says_first_which_question_it_answers(room: str) -> None:
    silent = [path for path in python_files(room) if path.read_text().strip() and not ast.get_docstring(ast.parse(path.read_text()))]
    assert silent == []


@pytest.mark.parametrize("room", ROOMS)
def test_no_function_is_longer_than_can_be_read_at_once(room: str) -> None:
    def length(node: ast.FunctionDef) -> int:
        own = node.body[1:] if ast.get_docstring(node) and len(node.body) > 1 else node.body  # the docstring is not the work
        return (node.end_lineno or 0) - own[0].lineno + 1

    trees = [(path.name, ast.parse(path.read_text())) for path in python_files(room)]
    nodes = [(name, node) for name, tree in trees for node in ast.walk(tree) if isinstance(node, ast.FunctionDef)]
    assert [(name, node.name, length(node)) for name, node in nodes if length(node) > 50] == []


def records_of(package: str, kind: type) -> list[object]:
    """Every record of a kind that a module of this package holds, each once."""
    inside = importlib.import_module(package)
    modules = [importlib.import_module(found.name) for found in pkgutil.iter_modules(inside.__path__, f"{package}.")]
    return list({id(value): value for module in modules for value in vars(module).values() if isinstance(value, kind)}.values())


@pytest.mark.parametrize(
    ("package", "attribute", "folder"),
    [
        ("ood.attacks", "ATTACKS", "ood.attacks"),
        ("ood.corruptions", "CORRUPTIONS", "ood.corruptions"),
        ("gold", "TABLES", "gold.tables"),
        ("gold.forecast.tables", "TABLES", "gold.forecast.tables"),
        ("xai.attribution", "METHODS", "xai.attribution"),
        ("xai.metrics", "METRICS", "xai.metrics"),
        ("models.families", "FAMILIES", "models.families"),
        ("pipelines.report.sections", "SECTIONS", "pipelines.report.sections"),
        ("models.text_families", "TEXT_FAMILIES", "models.text_families"),
    ],
)
def test_every_record_of_a_room_stands_in_its_tuple_and_the_tuple_holds_no_other(package: str, attribute: str, folder: str) -> None:
    members = getattr(importlib.import_module(package), attribute)
    found = records_of(folder, type(members[0]))
    assert {id(member) for member in members} == {id(record) for record in found}
    assert len(members) == len(found)  # none stands there twice


def test_every_reader_of_bronze_stands_in_its_tuple() -> None:
    from bronze.readers import READERS

    modules = [path.stem for path in (ROOT / "bronze" / "readers").glob("*.py") if re.search(r"^def listing\(", path.read_text(), re.M)]
    assert sorted(modules) == sorted(reader.name for reader in READERS)


BY_DELTALAKE = r"\.to_pyarrow_(?:dataset|table)\(|DeltaTable\((?:[^()]|\([^()]*\))*\)\.to_pandas\("


def read_by_deltalake(text: str) -> list[str]:
    """Calls by which deltalake reads a table's files itself; of a DeltaTable that has a name, through that name too."""
    names = re.findall(r"(\w+)(?:: DeltaTable)? = DeltaTable\(|\b(\w+): DeltaTable\b", text)
    named = "|".join(sorted({re.escape(name) for pair in names for name in pair if name}))
    pattern = BY_DELTALAKE + (rf"|\b(?:{named})\.to_pandas\(" if named else "")
    return re.findall(pattern, text)


def test_no_table_is_read_through_deltalakes_file_system_which_is_written_in_python() -> None:
    """Reading threads that Arrow leaves behind met an interpreter that was ending: exit code -6 after the answer (lake.local_files)."""
    doors = {Path("lake/local_files.py"), Path("pipelines/sql/duck.py"), Path(__file__).relative_to(ROOT)}
    files = [path for room in (*ROOMS, "jobs", "scripts", "tests", "benchmarks") for path in python_files(room)]
    found = {str(path.relative_to(ROOT)): read_by_deltalake(path.read_text()) for path in files if path.relative_to(ROOT) not in doors}
    assert {path: calls for path, calls in found.items() if calls} == {}


@pytest.mark.parametrize(
    ("text", "n"),
    [
        ("DeltaTable(p).to_pyarrow_dataset()", 1), ("a = opened(p)\na.to_pyarrow_table()", 1), ("DeltaTable(str(p)).to_pandas()", 1),
        ("a = DeltaTable(p)\nb = a.to_pandas()", 1), ("def f(a: DeltaTable): return a.to_pandas()", 1),
        ("local_dataset(DeltaTable(p), p).to_table().to_pandas()", 0), ("rows = DeltaTable(p).version()\nframe.to_pandas()", 0),
    ],
)  # fmt: skip
def test_a_read_through_deltalake_is_found_however_the_table_is_called(text: str, n: int) -> None:
    assert len(read_by_deltalake(text)) == n
