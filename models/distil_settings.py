"""What does a backbone learn from when the pictures are few: a convolutional teacher, many variations, a local start?"""

from __future__ import annotations

from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, SerializerFunctionWrapHandler, model_serializer, model_validator


class Variation(BaseModel):
    """Random changes of a picture for teacher and student alike, drawn anew for every picture and epoch: rotation, zoom, stretch, shift and
    flip (one bilinear resampling, the outside mirrored), brightness, contrast, saturation, and a grey square over a part."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    rotation_degrees: float = Field(default=15.0, ge=0, le=180, description="largest turn, either way")
    window_from: float = Field(default=0.7, gt=0, le=1, description="smallest side of the window cut, as a share of the picture's side")
    window_to: float = Field(default=1.1, ge=1, le=2, description="largest side of the window; above 1 the rim is mirrored")
    stretch: float = Field(default=0.2, ge=0, lt=1, description="largest |log| of the factor that width gains and height loses")
    flip_share: float = Field(default=0.5, ge=0, le=1, description="share of pictures that are mirrored")
    jitter: float = Field(default=0.3, ge=0, lt=1, description="brightness (in standard deviations), contrast and saturation, each ±")
    erased_side: float = Field(default=0.5, ge=0, le=1, description="side of the grey square as a share of the picture's")
    erased_share: float = Field(default=0.7, ge=0, le=1, description="share of pictures that get the square")
    mixed_share: float = Field(
        default=0.0, ge=0, le=1, description="share of the student's pictures that are mixed with another and so lose their label"
    )


class Teacher(BaseModel):
    """The convolutional net that is trained first, on the labelled pictures; part of pre-training alone, it is not kept.

    `net`: `resnet9` begins from nothing: 9 layers (after Page's ResNet-9) of widths w, 2w, 4w. `efficientnet_lite0` has seen ImageNet
    and is tuned here in a few epochs (`epochs` 4, `batch_size` 32, `learning_rate` 5e-4 do); its weights come with the extra `teacher`.
    The last map has one cell per patch of the student."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    net: Literal["resnet9", "efficientnet_lite0"] = "resnet9"
    width: int = Field(default=32, ge=1, description="w: channels of resnet9's first layer")
    epochs: int = Field(default=60, ge=1, description="passes over the labelled pictures")
    batch_size: int = Field(default=64, ge=2, description="pictures a step")
    learning_rate: float = Field(default=4e-3, gt=0, allow_inf_nan=False, description="peak of AdamW's learning rate")
    weight_decay: float = Field(default=0.05, ge=0, allow_inf_nan=False, description="AdamW's, on matrices and kernels")


class Distillation(BaseModel):
    """How the student learns: weights of three losses, the start of its attention, the arithmetic of training.

    `hard_weight`: cross-entropy with the labels, for pictures that have one. `soft_weight`: Kullback-Leibler divergence from the teacher's
    class probabilities. `feature_weight`: smooth L1 distance of each patch token (through a linear map) to the teacher's
    standardised map at that place. `locality`: sharpness of the positional start of attention (models.pretrain_locality); 0 for none.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    teacher: Teacher = Field(default=Teacher(), description="the net that is trained first")
    variation: Variation = Field(default=Variation(), description="how pictures are varied for both")
    locality: float = Field(default=1.5, ge=0, allow_inf_nan=False)
    hard_weight: float = Field(default=1.0, ge=0, allow_inf_nan=False)
    soft_weight: float = Field(default=1.0, ge=0, allow_inf_nan=False)
    feature_weight: float = Field(default=1.0, ge=0, allow_inf_nan=False)
    views: int = Field(
        default=0,
        ge=0,
        description="after so many epochs the student's varied batches come again and the teacher's answers are remembered (with "
        "efficientnet_lite0 and 64 patches 14 kB of memory a picture and view); 0: every epoch is new",
    )
    temperature: float = Field(default=2.0, gt=0, allow_inf_nan=False, description="divides the logits of both in the soft loss")
    label_smoothing: float = Field(default=0.1, ge=0, lt=1, description="of both cross-entropies")
    inner_learning_rate: float = Field(
        default=3e-3, gt=0, allow_inf_nan=False, description="peak of Muon's, for the matrices of the student's layers; AdamW has the rest"
    )
    warm_share: float = Field(default=0.15, gt=0, lt=1, description="share of the steps in which the learning rate rises")
    clip_norm: float = Field(default=1.0, gt=0, allow_inf_nan=False, description="largest norm of a step's gradient")
    precision: Literal["float32", "bfloat16"] = Field(
        default="bfloat16", description="of matrix products and convolutions; weights are float32"
    )
    checkpoint_seconds: float = Field(default=120.0, ge=0, exclude=True, description="shortest time between two; no part of the identity")

    @model_serializer(mode="wrap")
    def _without_views_at_none(self, handler: SerializerFunctionWrapHandler) -> dict[str, Any]:
        """Settings without them hash as they did before there were any: backbones that were trained then are found again."""
        plain: dict[str, Any] = handler(self)
        if self.views == 0:
            plain.pop("views", None)
        return plain

    @model_validator(mode="after")
    def _something_is_learned(self) -> Distillation:
        if self.hard_weight + self.soft_weight + self.feature_weight == 0:
            raise ValueError("hard_weight, soft_weight and feature_weight must not all be 0: nothing would be learned")
        return self
