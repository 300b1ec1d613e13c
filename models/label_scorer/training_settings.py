"""How large is the label scorer that this project trains, and how is it trained?"""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict, Field, model_validator

from models.label_scorer.settings import LabelPrompt


class LabelScorerTraining(BaseModel):
    """A small Llama (grouped-query attention, SwiGLU, rotary positions) trained to answer the very prompts it will be asked, with AdamW
    and a one-cycle learning rate; the loss is -log p of the label's tokens alone.

    Every epoch draws for every text anew: whether it is shown whole or with hidden words, and whether the prompt names instructions and
    labels. So neither placeholders nor plain prompts are foreign to it when priors ask.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str = Field(default="label-scorer", pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{0,99}$")
    prompt: LabelPrompt = LabelPrompt()
    width: int = Field(default=96, ge=2)
    depth: int = Field(default=3, ge=1)
    heads: int = Field(default=4, ge=1)
    kv_heads: int = Field(default=2, ge=1, description="heads of keys and values; each serves heads / kv_heads queries")
    mlp_width: int = Field(default=256, ge=1)
    vocabulary: int = Field(default=1024, ge=260, description="most tokens of the byte-level BPE tokenizer made from the texts")
    max_tokens: int = Field(default=4096, ge=16, description="longest prompt with label that the model will read")
    initializer_range: float = Field(default=0.1, gt=0, lt=1, description="about 1 / sqrt(width); 0.02 suits 2,500, and starves 96")
    epochs: int = Field(default=6, ge=1)
    batch_size: int = Field(default=32, ge=1)
    learning_rate: float = Field(default=3e-3, gt=0, allow_inf_nan=False)
    weight_decay: float = Field(default=0.05, ge=0, allow_inf_nan=False)
    warm_share: float = Field(default=0.1, ge=0, lt=1, description="share of the steps in which the learning rate goes up")
    clip_norm: float = Field(default=1.0, gt=0, allow_inf_nan=False, description="largest norm of a step's gradient")
    whole_share: float = Field(default=0.25, ge=0, le=1, description="share of the texts shown with every word")
    hidden_to: float = Field(default=0.6, ge=0, lt=1, description="of the others, each hides its words at a rate drawn from [0, this)")
    plain_share: float = Field(default=0.4, ge=0, le=1, description="share of the prompts without instructions and labels")
    seed: int = Field(default=0, ge=0, lt=2**63)
    checkpoint_seconds: float = Field(default=60.0, ge=0, exclude=True, description="shortest time between two; no part of the identity")

    @model_validator(mode="after")
    def _heads_divide(self) -> LabelScorerTraining:
        if self.width % (2 * self.heads) or self.heads % self.kv_heads:
            raise ValueError(
                f"width must be an even multiple of heads and heads a multiple of kv_heads, found {self.width} / {self.heads} and "
                f"{self.heads} / {self.kv_heads}"
            )
        return self
