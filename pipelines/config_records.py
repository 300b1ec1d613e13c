"""The small records of a configuration: which backbone, how it is asked, how work is cut."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict, Field, model_validator

from models.modality import AnyPretrainSettings


class Record(BaseModel):
    """Frozen, and no key but those that are declared."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class BackboneConfig(Record):
    """`name`: a hub name or a local folder. Without a name, `pretrain` makes a small one from the training split.

    `pretrain_labels`: the classes it may see (None: all). `threads`: of pre-training; part of what makes it repeatable. One, unless the
    machine is otherwise idle: two that share two cores with other work wait for each other (12 s became 300 s).
    """

    name: str | None = None
    revision: str | None = None
    pretrain: AnyPretrainSettings | None = None
    pretrain_labels: tuple[str, ...] | None = None
    threads: int = Field(default=1, ge=1)

    @model_validator(mode="after")
    def _one_of_both(self) -> BackboneConfig:
        if (self.name is None) == (self.pretrain is None):
            raise ValueError("give either backbone.name (hub name or folder) or backbone.pretrain (settings of a small one), not both")
        return self


class ScoringConfig(Record):
    """`dtype`: auto is what the driver's hardware does fast (float16 on CUDA, bfloat16 with AMX or AVX512-bf16, else float32);
    name it where driver and executors differ. `batch_size`: rows of every forward, part of what makes results repeatable."""

    dtype: str = Field(default="auto", pattern="^(auto|float32|bfloat16|float16)$")
    batch_size: int = Field(default=8, ge=1)


class EmbeddingConfig(ScoringConfig):
    """The same for bronze.embeddings; `keep_units` stores every patch vector beside the pooled one."""

    keep_units: bool = False


class ExecutionConfig(Record):
    """How the work is cut; none of it changes a row. `chunk_rows`: rows per commit, whose keys pass through the driver (0.8 kB each).
    `cache_gb`: adapters kept in a worker."""

    chunk_rows: int = Field(default=250_000, ge=1)
    max_rejected_share: float = Field(default=0.1, ge=0.0, le=1.0)
    cache_gb: float = Field(default=4.0, gt=0)
