"""What leaves silver? Adapters, their clean predictions, attributions and the metrics of these; priors that steer text training; heads that
name the training examples behind an input, and what they name."""

from __future__ import annotations

from dataclasses import dataclass

from lake.spec import ADAPTER, DATASET, EXAMPLE, SETTINGS, Column, Table
from silver.exemplars.specs import EXEMPLARS as EXEMPLARS
from silver.exemplars.specs import HEADS as HEADS

BY_ADAPTER = ("dataset", "adapter_id")
INVERSION = "inversion"  # a metric_group whose rows have generations of their own, on a sub-sample
PROVENANCE = "provenance"  # a metric_group whose rows have generations of their own for each head


@dataclass(frozen=True)
class Part:
    """Rows of silver.explanation_metrics that have generations of their own beside the others: those of a group, or of a `method` of it."""

    group: str
    settings_id: str
    method: str | None = None

    @property
    def name(self) -> str:
        """What stands for it where the ledger has a corruption."""
        return self.group if self.method is None else f"{self.group}:{self.method}"


def _score(name: str, comment: str) -> Column:
    return Column(name, "double", comment + " on adapter_val, weighted over classes", unit="share", low=0.0, high=1.0)


ADAPTERS = Table(
    "silver",
    "adapters",
    "Every adapter that was offered to this dataset: what it is, how it was trained, whether it can be used.",
    ("dataset", "adapter_id", "settings_id"),
    (
        DATASET,
        ADAPTER,
        SETTINGS,
        Column("name", "string", "label of the adapter: recipe or folder name", nullable=False),
        Column("folder", "string", "where its files are", volatile=True),
        Column("backbone", "string", "backbone as configured", nullable=False),
        Column("recipe", "string", "kind of training, such as ce or cap_hybrid; null when unknown"),
        Column("recipe_sha256", "string", "hash of recipe, backbone, training data and seed; null for foreign adapters"),
        Column("rank", "int", "LoRA rank r", low=1),
        Column("alpha", "double", "LoRA alpha"),
        Column("update_scale", "double", "alpha / sqrt(r) with rsLoRA, alpha / r without"),
        Column("seed", "bigint", "training seed"),
        Column("use_dora", "boolean", "weight-decomposed LoRA"),
        Column("use_rslora", "boolean", "rank-stabilised scaling"),
        Column("trainable_parameters", "bigint", "parameters the adapter trains, head and biases included", unit="count", low=0),
        Column("trainable_share", "double", "the same over all parameters", unit="share", low=0.0, high=1.0),
        Column("train_loss", "double", "mean cross-entropy of the kept epoch", unit="nat", low=0.0),
        Column("eval_loss", "double", "cross-entropy on adapter_val", unit="nat", low=0.0),
        _score("accuracy", "accuracy"),
        _score("f1", "F1"),
        _score("precision", "precision"),
        _score("recall", "recall"),
        Column("minutes", "double", "training time", unit="min", low=0.0, volatile=True),
        Column("labels", "array<string>", "the adapter's own label order", nullable=False),
        Column("weights_sha256", "string", "hash of adapter_model.safetensors"),
        Column("status", "string", "ready, inert (changes nothing) or rejected", allowed=("ready", "inert", "rejected"), nullable=False),
        Column("reason", "string", "why it is not ready, or notes on how it was read"),
        Column("recipe_settings", "string", "the recipe it was trained from as canonical JSON; null for foreign adapters", added=True),
    ),
)

PREDICTIONS = Table(
    "silver",
    "predictions",
    "What each adapter answers on each clean meta example.",
    ("dataset", "example_id", "adapter_id", "settings_id"),
    (
        DATASET,
        EXAMPLE,
        ADAPTER,
        SETTINGS,
        Column(
            "predicted_id", "int", "position of the predicted label in the dataset's ordered labels", unit="index", low=0, nullable=False
        ),
        Column("confidence", "double", "largest softmax probability", unit="probability", low=0.0, high=1.0, nullable=False),
        Column("margin", "double", "largest minus second largest probability", unit="probability", low=0.0, high=1.0, nullable=False),
        Column(
            "softmax_entropy",
            "double",
            "entropy of the softmax over log of the number of labels; null with one label",
            unit="share",
            low=0.0,
            high=1.0,
        ),
        Column("energy", "double", "-logsumexp of the logits; lower is more certain", unit="nat", nullable=False),
        Column(
            "pnorm_logit",
            "double",
            "largest centred logit divided by the 2-norm of the centred logits; 0 for equal logits",
            low=0.0,
            high=1.0,
            nullable=False,
        ),
        Column("is_correct", "boolean", "the predicted label is the true one", nullable=False),
        Column("logits", "array<float>", "float32 logits in the dataset's label order", nullable=False),
    ),
    BY_ADAPTER,
)

# A table of their own: silver.predictions are answers that can be right, and whoever counts them counts no others.
OUTSIDE_PREDICTIONS = Table(
    "silver",
    "outside_predictions",
    "What each adapter answers on each input of no class (split outside), which no answer fits; settings_id as in silver.predictions.",
    PREDICTIONS.key,
    tuple(column for column in PREDICTIONS.columns if column.name != "is_correct"),
    BY_ADAPTER,
)

ATTRIBUTIONS = Table(
    "silver",
    "attributions",
    "One float per unit for the predicted class: what the adapter looked at.",
    ("dataset", "example_id", "adapter_id", "method", "settings_id"),
    (
        DATASET,
        EXAMPLE,
        ADAPTER,
        Column("method", "string", "attribution method, see docs/tables.md"),
        SETTINGS,
        Column("target_id", "int", "explained class: the predicted one", unit="index", low=0, nullable=False),
        Column("values", "array<float>", "attribution per unit, units in reading order (patches row by row)", nullable=False),
        Column("n_units", "int", "number of units", unit="count", low=1, nullable=False),
        Column("words", "array<string>", "the words explained; null for pictures"),
        Column(
            "error",
            "double",
            "sampling error of values, in their unit: root mean square of errors over the units; null for attention, and where masks "
            "are too few to tell",
            added=True,
        ),
        Column(
            "errors",
            "array<float>",
            "standard error of each value over the draw of masks; 0 where nothing is drawn, null where error is",
            added=True,
        ),
    ),
    BY_ADAPTER,
)

EXPLANATION_METRICS = Table(
    "silver",
    "explanation_metrics",
    "Scores of each attribution; the view explanation_metrics_long has one row per metric.",
    ("dataset", "example_id", "adapter_id", "method", "metric_group", "settings_id"),
    (
        DATASET,
        EXAMPLE,
        ADAPTER,
        Column(
            "method",
            "string",
            "attribution method or control: random, oracle (words that decide the true label), reverse (of the first method in the "
            "configuration, which settings of texts name as reverse_of), in group inversion random, output_echo (p(target) / N); in group "
            "provenance the name of a head of silver.heads",
        ),
        Column(
            "metric_group",
            "string",
            "preset the metrics were computed under: of pictures default or ki, of texts default_text or drop_text; or inversion, which is "
            "computed on a sub-sample where asked for and has a settings_id of its own; or provenance, which has one for each head",
        ),
        SETTINGS,
        Column("metrics", "map<string,double>", "metric name -> value; a metric that cannot be computed is null", nullable=False),
    ),
    BY_ADAPTER,
)

PRIORS = Table(
    "silver",
    "priors",
    "What each source says of each word of a training text, for the label that is trained: raw, before clipping, scaling and fusion.",
    ("dataset", "example_id", "source", "scorer", "settings_id"),
    (
        DATASET,
        EXAMPLE,
        Column("source", "string", "where the numbers come from", allowed=("cap", "ig", "lime", "shap")),
        Column("scorer", "string", "content hash of the language model (128 bits, hex); for ig the adapter_id of the twin"),
        SETTINGS,
        Column("target_id", "int", "label the prior is for: the trained one, a wrong one too", unit="index", low=0, nullable=False),
        Column(
            "values",
            "array<float>",
            "per word; cap: -1 / log p, lime and shap: p, ig: logit, never negative; higher speaks for the label",
            nullable=False,
        ),
        Column("words", "array<string>", "the words of the text, one per value", nullable=False),
        Column("error", "array<float>", "standard error of each value over the draw of masks; null where unknown, and for ig"),
        Column("clipped_share", "double", "masks whose p was clipped before the fit; null for ig", unit="share", low=0.0, high=1.0),
        Column(
            "n_masks",
            "int",
            "masks drawn, the whole text included; shap asks all subsets of a short text; null for ig",
            unit="count",
            low=1,
        ),
        Column("whole_p", "double", "p of the label when the whole text is shown; null for ig", unit="probability", low=0.0, high=1.0),
        Column("leaky_prior", "boolean", "the scorer saw more labelled texts than are trained on; null when nobody knows what it saw"),
    ),
    ("dataset",),
)

TABLES = (ADAPTERS, PREDICTIONS, OUTSIDE_PREDICTIONS, ATTRIBUTIONS, EXPLANATION_METRICS, PRIORS, HEADS, EXEMPLARS)
