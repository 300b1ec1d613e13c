"""bronze and silver of a text dataset -> the frames of the tables about priors and steered training. Only the columns they need."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bronze.specs import EMBEDDINGS
from bronze.specs import EXAMPLES as BRONZE_EXAMPLES
from gold.steering.confusable import confusable_pairs
from gold.steering.frames import (
    ANSWERED,
    ATTRIBUTIONS,
    EXPLAINED,
    EXPLAINERS,
    META,
    OUTSIDE,
    PRIORS,
    REFUSED,
    SCORES,
    TRAIN,
    TRAININGS,
    TextFrames,
)  # fmt: skip
from gold.steering.inputs import TextInputs
from gold.steering.recipes import recipe_of
from lake.audit import REJECTED
from lake.door import Lake
from lake.spec import Table
from silver.specs import ADAPTERS, EXPLANATION_METRICS, PREDICTIONS
from silver.specs import ATTRIBUTIONS as SILVER_ATTRIBUTIONS
from silver.specs import PRIORS as SILVER_PRIORS

if TYPE_CHECKING:
    import pandas as pd
    from pyspark.sql import DataFrame

    from gold.build import GoldInputs
    from gold.settings import SteeringSettings

IG = "ig"
PARTS = 1_000_000  # a share of the texts is cut by hash, in millionths


def text_frames(
    lake: Lake, inputs: GoldInputs, text: TextInputs, labels_of: DataFrame, examined: DataFrame, settings: SteeringSettings, seed: int
) -> TextFrames:
    """All frames of `TextFrames`. `labels_of`: example_id and label of the meta texts, `examined` of those that are explained.

    Rows per text come to the driver only for training texts (embedding, priors) and for the self-attributions of the confusable classes;
    the rest is aggregated first.
    """
    trainings = _pandas(_mine(lake, ADAPTERS, inputs.dataset, inputs.adapters_id).select(*TRAININGS))
    confusions = _confusions(lake, inputs, labels_of)
    pairs = confusable_pairs(confusions, trainings, settings.pairs)
    classes = sorted({label for pair in pairs for label in (pair.label_a, pair.label_b)})
    recipes = dict(zip(trainings["adapter_id"], trainings["recipe_settings"].map(recipe_of), strict=True))
    trained = [adapter_id for adapter_id in inputs.adapter_ids if recipes.get(adapter_id) is not None]
    return TextFrames(
        inputs.labels,
        trainings=trainings,
        explained=_explained(lake, inputs, examined),
        answered=_answered(lake, inputs, labels_of),
        examples=embedded_examples(lake, inputs.dataset, text.examples_id, text.embeddings_id),
        confusions=confusions,
        priors=_priors(lake, inputs.dataset, text, settings.max_words),
        refused=_refused(lake, inputs.dataset, text),
        attributions=_attributions(lake, inputs, text, examined, classes, trained, settings, seed),
        generations=text.priors,
        attacks=text.attacks,
        truth=text.truth,
    )


def _mine(lake: Lake, table: Table, dataset: str, *identities: str) -> DataFrame:
    from pyspark.sql import functions as F

    return lake.read(table).where((F.col("dataset") == dataset) & F.col("settings_id").isin(*identities))


def _pandas(rows: DataFrame) -> pd.DataFrame:
    found: pd.DataFrame = rows.toArrow().to_pandas()
    return found


def _explained(lake: Lake, inputs: GoldInputs, examined: DataFrame) -> pd.DataFrame:
    """Means per adapter and explainer; of texts whose metric is null the mean knows nothing."""
    from pyspark.sql import functions as F

    rows = _mine(lake, EXPLANATION_METRICS, inputs.dataset, inputs.metrics_id).where(F.col("adapter_id").isin(*inputs.adapter_ids))
    rows = rows.where((F.col("metric_group") == inputs.metric_group) & F.col("method").isin(*EXPLAINERS))
    rows = rows.join(F.broadcast(examined.select("example_id")), "example_id", "left_semi")
    means = [F.mean(F.col("metrics")[score]).alias(score) for score in SCORES]
    return _pandas(rows.groupBy("adapter_id", "method").agg(*means).select(*EXPLAINED))


def embedded_examples(lake: Lake, dataset: str, examples_id: str, embeddings_id: str) -> pd.DataFrame:
    """The columns of TextFrames.examples; of pictures too, whose text is null."""
    from pyspark.sql import functions as F

    examples = _mine(lake, BRONZE_EXAMPLES, dataset, examples_id).where(F.col("split").isin(TRAIN, META, OUTSIDE))
    kept = F.when(F.col("split") == TRAIN, F.col("text")).alias("text")
    vectors = _mine(lake, EMBEDDINGS, dataset, embeddings_id).select("example_id", "pooled")
    return _pandas(examples.select("example_id", "split", "label_id", kept).join(vectors, "example_id", "left"))


def _answered(lake: Lake, inputs: GoldInputs, labels_of: DataFrame) -> pd.DataFrame:
    from pyspark.sql import functions as F

    rows = _mine(lake, PREDICTIONS, inputs.dataset, inputs.predictions_id).where(F.col("adapter_id").isin(*inputs.adapter_ids))
    rows = rows.join(F.broadcast(labels_of.select("example_id")), "example_id", "left_semi")
    counts = F.count("*").alias("n"), F.sum(F.col("is_correct").cast("int")).alias("n_correct")
    return _pandas(rows.groupBy("adapter_id").agg(*counts).select(*ANSWERED))


def _confusions(lake: Lake, inputs: GoldInputs, labels_of: DataFrame) -> pd.DataFrame:
    from pyspark.sql import functions as F

    rows = _mine(lake, PREDICTIONS, inputs.dataset, inputs.predictions_id).where(F.col("adapter_id").isin(*inputs.adapter_ids))
    wrong = rows.where(~F.col("is_correct")).join(F.broadcast(labels_of), "example_id")
    counts = _pandas(wrong.groupBy("adapter_id", "label", "predicted_id").agg(F.count("*").alias("n")))
    return counts.assign(predicted=[inputs.labels[predicted] for predicted in counts["predicted_id"]])


def _priors(lake: Lake, dataset: str, text: TextInputs, max_words: int) -> pd.DataFrame:
    from pyspark.sql import functions as F

    rows = _mine(lake, SILVER_PRIORS, dataset, *sorted({one.settings_id for one in text.priors}))
    return _pandas(rows.where(F.size("words").between(1, max_words)).select(*PRIORS))


def _refused(lake: Lake, dataset: str, text: TextInputs) -> pd.DataFrame:
    from pyspark.sql import functions as F

    rows = _mine(lake, REJECTED, dataset, *sorted({one.settings_id for one in text.priors}))
    rows = rows.where(F.col("table_name") == SILVER_PRIORS.full_name)
    key = F.from_json("key", "example_id string, source string, scorer string")
    return _pandas(rows.select("settings_id", "error_code", key.alias("key")).select("settings_id", "error_code", "key.*").select(*REFUSED))


def _attributions(
    lake: Lake,
    inputs: GoldInputs,
    text: TextInputs,
    examined: DataFrame,
    classes: list[str],
    adapters: list[str],
    settings: SteeringSettings,
    seed: int,
) -> pd.DataFrame:
    """Self-attributions of the texts of these classes, of whole texts a share by content hash where there are too many.

    silver explains the predicted class, a training steers the attribution of the true one: rows where they differ are left out.
    """
    from pyspark.sql import functions as F

    asked = F.broadcast(examined.where(F.col("label").isin(*classes)))
    rows = _mine(lake, SILVER_ATTRIBUTIONS, inputs.dataset, text.attributions_id).where(
        (F.col("method") == IG) & F.col("adapter_id").isin(*adapters)
    )
    explained = F.get(F.array(*map(F.lit, inputs.labels)), F.col("target_id"))
    rows = rows.where(F.size("words").between(1, settings.max_words)).join(asked, "example_id").where(explained == F.col("label"))
    if (n_rows := rows.count()) > settings.max_attributions:
        share = int(PARTS * settings.max_attributions / n_rows)
        rows = rows.where(F.pmod(F.xxhash64("example_id", F.lit(seed)), F.lit(PARTS)) < share)
    return _pandas(rows.select(*ATTRIBUTIONS))
