"""What do all recipes have in common, whatever the adapter reads?"""

from __future__ import annotations

import math
from typing import Any, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from models.hashing import canonical_json, hash_of

Role = Literal["query", "value", "mlp_in", "mlp_out"]


class TrainingRecipe(BaseModel):
    """LoRA, AdamW and the passes over the data. Defaults are those of METHODS 1 (KI); what KI leaves open is marked (choice).

    `alpha` or `update_scale` may be given, not both; neither means alpha = 2 * rank. With rsLoRA the update is multiplied by
    alpha / sqrt(rank), so alpha = 2 * rank confounds rank with step size (4 / 8 / 11.3 for rank 4 / 16 / 32); `update_scale` fixes that
    factor and lets rank vary alone. `train_share` keeps the examples whose ids hash lowest: a smaller share is a subset of a larger one.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str = Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{0,99}$", description="a label; no part of the identity")
    rank: int = Field(ge=1, description="rank of the LoRA matrices")
    alpha: float | None = Field(default=None, gt=0, allow_inf_nan=False, description="LoRA's alpha; null: 2 * rank")
    update_scale: float | None = Field(
        default=None, gt=0, allow_inf_nan=False, description="factor of the update itself, in place of alpha"
    )
    use_dora: bool = Field(default=True, description="direction and magnitude apart (DoRA)")
    use_rslora: bool = Field(default=True, description="scale by sqrt(rank) in place of rank (rsLoRA)")
    dropout: float = Field(default=0.1, ge=0, lt=1, description="of the adapter's input")
    targets: tuple[Role, ...] = Field(
        default=("query", "value", "mlp_in", "mlp_out"), min_length=1, description="which linear layers are adapted, by role"
    )
    bias: Literal["none", "lora_only"] = Field(default="lora_only", description="`lora_only` trains the biases of adapted layers too")
    learning_rate: float = Field(default=3e-4, gt=0, allow_inf_nan=False, description="AdamW's, its highest")
    schedule: Literal["constant", "linear"] = Field(default="linear", description="(choice) linear decay to 0 over all steps")
    warm_share: float = Field(
        default=0.0, ge=0, lt=1, description="share of all steps over which the learning rate rises from near 0; then the schedule begins"
    )
    weight_decay: float = Field(default=0.01, ge=0, allow_inf_nan=False, description="(choice) AdamW's own default")
    epochs: int = Field(default=15, ge=1, description="passes over the training split; the one of best validation accuracy is kept")
    batch_size: int = Field(default=16, ge=1, description="examples per batch")
    accumulation: int = Field(default=2, ge=1, description="batches whose gradients make one step")
    clip_norm: float | None = Field(
        default=None,
        gt=0,
        allow_inf_nan=False,
        description="longest gradient of a step (L2), longer ones are shortened to it; null: as it is",
    )
    label_smoothing: float = Field(default=0.0, ge=0, lt=1, description="of the cross-entropy")
    precision: Literal["float32", "bfloat16"] = Field(
        default="float32", description="of the matrix products while training (autocast); weights, loss and validation are float32"
    )
    train_share: float = Field(default=1.0, gt=0, le=1, description="share of the training split that is used")
    seed: int = Field(
        default=0, ge=0, lt=2**63, description="draws weights, order, dropout and whatever varies the examples; part of the identity"
    )

    @model_validator(mode="after")
    def _scale_is_given_once(self) -> Self:
        if self.alpha is not None and self.update_scale is not None:
            raise ValueError(f"recipe {self.name}: give alpha or update_scale, not both (found {self.alpha} and {self.update_scale})")
        if len(set(self.targets)) != len(self.targets):
            raise ValueError(f"recipe {self.name}: targets must not repeat, found {', '.join(self.targets)}")
        return self

    @property
    def lora_alpha(self) -> float:
        """The alpha that goes into the adapter's config."""
        if self.update_scale is not None:
            return self.update_scale * (math.sqrt(self.rank) if self.use_rslora else self.rank)
        return 2.0 * self.rank if self.alpha is None else self.alpha

    def deciding(self) -> dict[str, Any]:
        """The settings that decide the trained weights, as plain data: all but the name, and alpha as the number in force. Precision,
        `clip_norm` and `warm_share` are left out where they are as they were before there was a choice."""
        unread = {"name", "update_scale"}
        unread |= set() if self.warm_share else {"warm_share"}
        unread |= {"clip_norm"} if self.clip_norm is None else set()
        unread |= {"precision"} if self.precision == "float32" else set()
        return self.model_dump(mode="json", exclude=unread) | {"alpha": self.lora_alpha}


def recipe_sha256(recipe: TrainingRecipe, backbone_sha256: str, data_fingerprint: str) -> str:
    """Hash (128 bits, hex) of everything that decides the trained weights: recipe with its seed, backbone, training data.

    An adapter whose manifest carries this hash need not be trained again. The name is left out: it is a label; alpha enters as the
    number in force, so writing a default out changes nothing.
    """
    return hash_of([canonical_json(recipe.deciding()).encode(), backbone_sha256.encode(), data_fingerprint.encode()])
