"""Which attribution methods exist? One function and one record per file; add a method by adding a file and its two lines here."""

from __future__ import annotations

from xai.attribution.attention import METHOD as ATTENTION
from xai.attribution.attention import attention
from xai.attribution.attention_rollout import METHOD as ATTENTION_ROLLOUT
from xai.attribution.attention_rollout import attention_rollout
from xai.attribution.cap import METHOD as CAP
from xai.attribution.cap import cap
from xai.attribution.grad_cam import METHOD as GRAD_CAM
from xai.attribution.grad_cam import grad_cam
from xai.attribution.ig import METHOD as IG
from xai.attribution.ig import ig
from xai.attribution.kernel_shap import METHOD as KERNEL_SHAP
from xai.attribution.kernel_shap import kernel_shap
from xai.attribution.lime import METHOD as LIME
from xai.attribution.lime import lime
from xai.attribution.occlusion import METHOD as OCCLUSION
from xai.attribution.occlusion import occlusion
from xai.attribution.oracle import METHOD as ORACLE
from xai.attribution.oracle import oracle
from xai.attribution.random import METHOD as RANDOM
from xai.attribution.random import random
from xai.attribution.reverse import METHOD as REVERSE
from xai.attribution.reverse import reverse
from xai.records import Method

METHODS: tuple[Method, ...] = (ATTENTION, ATTENTION_ROLLOUT, GRAD_CAM, IG, OCCLUSION, LIME, KERNEL_SHAP, CAP, RANDOM, REVERSE, ORACLE)

__all__ = [
    "METHODS",
    "attention",
    "attention_rollout",
    "cap",
    "grad_cam",
    "ig",
    "kernel_shap",
    "lime",
    "occlusion",
    "oracle",
    "random",
    "reverse",
]
