"""Is an explanation used or merely told afterwards? Explanatory inversion and Reproduce-by-Poking (IQ, arXiv 2504.08919)."""

from __future__ import annotations

from xai.inversion.answers import Alike, Answers, Known, answered
from xai.inversion.echo import OUTPUT_ECHO, output_echo
from xai.inversion.inverted import AS_IT_IS, FORMS, STABILITY, Form, Inversion, Inverted, Pokes, inverted
from xai.inversion.linear import Asked, Linear, asked, kernel_shap_of, lime_of, occlusion_of
from xai.inversion.poked import UNPOKED, PokedFlat, all_at_once, one_by_one, poked_value
from xai.inversion.refine import Refined, reproduce_by_poking, shapley_stability, shrink
from xai.inversion.scores import movement, partial_reliance

__all__ = [
    "AS_IT_IS", "FORMS", "OUTPUT_ECHO", "STABILITY", "UNPOKED", "Alike", "Answers", "Asked", "Form", "Inversion", "Inverted",
    "Known", "Linear", "PokedFlat", "Pokes", "Refined", "all_at_once", "answered", "asked", "inverted", "kernel_shap_of",
    "lime_of", "movement", "occlusion_of", "one_by_one", "output_echo", "partial_reliance", "poked_value", "reproduce_by_poking",
    "shapley_stability", "shrink",
]  # fmt: skip
