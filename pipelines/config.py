"""What may stand in a configuration file, and what does the user learn when something else does?"""

from __future__ import annotations

import difflib
import hashlib
from pathlib import Path
from typing import Any, get_args

import yaml
from pydantic import (
    BaseModel,
    Field,
    SerializerFunctionWrapHandler,
    ValidationError,
    ValidationInfo,
    field_validator,
    model_serializer,
    model_validator,
)

from bronze.readers import reader_named
from bronze.settings import DecodeSettings, ShiftedSettings, SourceSettings, SplitSettings
from gold.forecast.settings import ForecastSettings
from gold.inversion.settings import DATASETS, InversionSettings
from gold.provenance.settings import ProvenanceSettings
from gold.settings import GoldSettings
from lake.errors import ConfigError, MissingInputError
from lake.identity import canonical_json
from models.modality import MODALITIES
from ood.attack_settings import AttackSettings
from ood.settings import CorruptionSettings
from pipelines.config_records import BackboneConfig, EmbeddingConfig, ExecutionConfig, Record, ScoringConfig
from pipelines.modality import with_modality
from pipelines.shifted_settings import check_shifted
from silver.exemplars.settings import ExemplarSettings
from silver.priors.settings import PriorSettings
from silver.settings import AdapterSettings, ExplanationSettings, check_modality, default_explanations

# Top-level keys that speak of one modality alone.
OF_PICTURES = frozenset({"corruptions", "provenance"})
OF_TEXTS = frozenset({"attacks", "priors"})


class Config(Record):
    """One dataset, one backbone, its adapters, and everything that is asked about them."""

    dataset: str = Field(pattern=r"^[a-z][a-z0-9_]{0,63}$")
    lake: str | None = None
    artifacts: str | None = None
    source: SourceSettings
    splits: SplitSettings = SplitSettings()
    decode: DecodeSettings = DecodeSettings()
    backbone: BackboneConfig
    embeddings: EmbeddingConfig = EmbeddingConfig()
    scoring: ScoringConfig = ScoringConfig()
    adapters: AdapterSettings = AdapterSettings()
    explanations: ExplanationSettings = Field(default=ExplanationSettings(), validate_default=True)
    corruptions: CorruptionSettings = CorruptionSettings()
    attacks: AttackSettings = AttackSettings()
    shifted: tuple[ShiftedSettings, ...] = Field(
        default=(), description="shifted sources of the user's own, each a corruption `natural:NAME` beside the synthetic ones"
    )
    priors: PriorSettings = PriorSettings()
    gold: GoldSettings = GoldSettings()
    gold_metric_group: str = "ki"
    forecast: ForecastSettings = Field(
        default=ForecastSettings(), description="how failures are forecast from clean inputs, and the verdict's rule"
    )
    inversion: InversionSettings = Field(
        default=InversionSettings(), description="probe worlds in which explanations are poked and tempted; none unless worlds are named"
    )
    provenance: ProvenanceSettings = Field(
        default=ProvenanceSettings(), description="provenance networks of the dataset's pictures; none unless arms are named"
    )
    exemplars: ExemplarSettings = Field(
        default=ExemplarSettings(), description="heads over the embeddings that name training examples; none unless heads are named"
    )
    examined: int | None = Field(
        default=None, ge=1, description="of split meta only so many examples, by smallest id, are explained and shifted; null: all"
    )
    execution: ExecutionConfig = ExecutionConfig()

    @field_validator("dataset")
    @classmethod
    def _no_world(cls, value: str) -> str:
        if value in DATASETS:
            raise ValueError(f"{value!r} names rows of probe worlds, and two would overwrite each other; call the dataset otherwise")
        return value

    @field_validator("explanations")
    @classmethod
    def _said_or_usual(cls, value: ExplanationSettings, info: ValidationInfo) -> ExplanationSettings:
        """What the user does not say is what is usual for the modality."""
        source = info.data.get("source")
        return value if source is None else default_explanations(reader_named(source.reader).modality, value)

    @model_validator(mode="before")
    @classmethod
    def _of_one_modality(cls, tree: Any) -> Any:
        """Recipes and settings of pre-training are those of the reader's modality; nobody has to say it again."""
        return with_modality(tree) if isinstance(tree, dict) else tree

    @model_validator(mode="after")
    def _shifts_fit(self) -> Config:
        """Keys of the other modality would do nothing, without a word."""
        other = OF_PICTURES if self.modality == "text" else OF_TEXTS
        if idle := sorted(self.model_fields_set & other):
            meant = OF_TEXTS if self.modality == "text" else OF_PICTURES
            raise ValueError(
                f"{', '.join(idle)}: nothing of {self.modality} inputs, which reader {self.source.reader!r} gives; such inputs have "
                f"{', '.join(sorted(meant))}"
            )
        return self

    @model_serializer(mode="wrap")
    def _without_the_other_modality(self, handler: SerializerFunctionWrapHandler) -> dict[str, Any]:
        plain: dict[str, Any] = handler(self)
        other = OF_PICTURES if self.modality == "text" else OF_TEXTS
        # Younger than the hashes of the others, and out of them where they say nothing.
        young = {"examined": self.examined is None, "shifted": not self.shifted, "forecast": self.forecast == ForecastSettings()}
        young |= {"inversion": self.inversion == InversionSettings(), "provenance": self.provenance == ProvenanceSettings()}
        young |= {"exemplars": not self.exemplars.heads}
        idle = other | {name for name, is_unused in young.items() if is_unused}
        return {name: value for name, value in plain.items() if name not in idle}

    @property
    def modality(self) -> str:
        """What the examples are: `image` or `text`."""
        return reader_named(self.source.reader).modality

    @property
    def cells(self) -> tuple[tuple[str, int], ...]:
        """(corruption or attack, severity) that every adapter is tried under, clean first."""
        return self.attacks.cells() if self.modality == "text" else self.corruptions.cells()

    @model_validator(mode="after")
    def _shifted_sources_fit(self) -> Config:
        check_shifted(self.shifted, self.modality)
        return self

    @model_validator(mode="after")
    def _networks_meet_what_there_is(self) -> Config:
        CorruptionSettings(names=self.provenance.corruptions)  # raises where one is not
        return self

    @model_validator(mode="after")
    def _explains_what_it_can(self) -> Config:
        check_modality(self.explanations, self.modality)
        return self

    @model_validator(mode="after")
    def _group_exists(self) -> Config:
        names = [group.preset.name for group in self.explanations.groups]
        if self.gold_metric_group not in names:
            raise ValueError(f"gold_metric_group must be one of explanations.groups ({', '.join(names)}), found {self.gold_metric_group!r}")
        group = self.explanations.groups[names.index(self.gold_metric_group)]
        scored = (*self.explanations.methods, *group.controls)
        if self.gold.method not in scored:
            raise ValueError(f"gold.method must be scored under {self.gold_metric_group} ({', '.join(scored)}), found {self.gold.method!r}")
        return self

    @property
    def sha256(self) -> str:
        """Hash of the resolved configuration."""
        return hashlib.sha256(canonical_json(self).encode()).hexdigest()


def load_config(path: Path, overrides: tuple[str, ...] = ()) -> Config:
    """The configuration in a YAML file, with `key.sub=value` overrides (values in YAML). Paths in it are relative to the file.

    Raises MissingInputError when the file is absent, ConfigError with key, finding and a suggestion for everything else.
    """
    if not path.is_file():
        shipped = Path(__file__).resolve().parent.parent / "configs"
        hint = f"; the ones that ship are in {shipped}" if shipped.is_dir() else ": it must be a path that the driver can reach"
        raise MissingInputError(f"no configuration at {path}{hint}")
    try:
        tree = yaml.safe_load(path.read_text(encoding="utf-8"))
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise ConfigError(f"{path} is not YAML: {error}") from error
    if not isinstance(tree, dict):
        raise ConfigError(f"{path} must hold keys and values, found {type(tree).__name__}")
    for override in overrides:
        _override(tree, override)
    try:
        return _resolved(Config.model_validate(tree), path.resolve().parent)
    except ValidationError as error:
        raise ConfigError(_explained(path, error)) from error


def _override(tree: dict[str, Any], text: str) -> None:
    key, separator, value = text.partition("=")
    if not separator or not key:
        raise ConfigError(f"--set takes key=value, such as gold.n_folds=3; found {text!r}")
    *parents, last = key.split(".")
    for parent in parents:
        tree = tree.setdefault(parent, {})
        if not isinstance(tree, dict):
            raise ConfigError(f"--set {text}: {parent} holds no keys")
    try:
        tree[last] = yaml.safe_load(value)
    except yaml.YAMLError as error:
        raise ConfigError(f"--set {text}: the value is not YAML: {error}") from error


def _resolved(config: Config, base: Path) -> Config:
    """Paths of the file's own made absolute, so that a run works from any folder."""

    def absolute(text: str | None) -> str | None:
        return text if text is None or "://" in text else str((base / Path(text).expanduser()).resolve())

    def rooted(source: SourceSettings) -> SourceSettings:
        return source.model_copy(update={"root": absolute(source.root)})

    folders = tuple(str(absolute(folder)) for folder in config.adapters.folders)

    def model(text: str | None) -> str | None:
        """A model's folder, or its name on the hub as it is."""
        return absolute(text) if text and (text.startswith((".", "/", "~")) or (base / text).is_dir()) else text

    backbone, scorer = config.backbone, config.priors.scorer
    changes: dict[str, Any] = {"source": rooted(config.source), "adapters": config.adapters.model_copy(update={"folders": folders})}
    changes["shifted"] = tuple(shift.model_copy(update={"source": rooted(shift.source)}) for shift in config.shifted)
    changes["backbone"] = backbone.model_copy(update={"name": model(backbone.name)})
    changes["priors"] = config.priors.model_copy(update={"scorer": scorer.model_copy(update={"name": model(scorer.name)})})
    changes["inversion"] = config.inversion.model_copy(update={"adult": absolute(config.inversion.adult)})
    return config.model_copy(update=changes | {"lake": absolute(config.lake), "artifacts": absolute(config.artifacts)})


def _explained(path: Path, error: ValidationError) -> str:
    lines = [f"{path}: {error.error_count()} problem(s)"]
    for problem in error.errors(include_url=False):
        where = ".".join(str(part) for part in problem["loc"] if part not in MODALITIES)
        if problem["type"] == "extra_forbidden":
            *parents, key = problem["loc"]
            known = _known_keys(parents)
            near = difflib.get_close_matches(str(key), known, n=1)
            hint = f"did you mean {near[0]!r}?" if near else f"known keys here: {', '.join(known)}"
            lines.append(f"  {where}: unknown key; {hint}")
        else:
            lines.append(f"  {where or 'configuration'}: {problem['msg']}")
    return "\n".join(lines)


def _known_keys(parents: list[int | str]) -> list[str]:
    """Names of the fields at a place of the configuration."""
    models: list[Any] = [Config]
    for part in parents:
        if part in MODALITIES:  # the tag of a union: not in the file
            models = [model for model in models if model.model_fields["modality"].default == part]
        elif not isinstance(part, int) and (field := models[0].model_fields.get(part)) is not None:
            models = records_in(field.annotation) or models
    return sorted(models[0].model_fields)


def records_in(annotation: Any) -> list[Any]:
    """The records inside an annotation such as `tuple[Recipe, ...]` or `PretrainSettings | None`, in order."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return [annotation]
    return [record for argument in get_args(annotation) for record in records_in(argument)]
