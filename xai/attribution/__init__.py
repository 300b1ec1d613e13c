"""Which attribution methods exist? One function and one record per file; add a method by adding a file and its two lines here."""

from __future__ import annotations

from xai.attribution.attention import METHOD as ATTENTION
from xai.attribution.attention import attention
from xai.attribution.random import METHOD as RANDOM
from xai.attribution.random import random
from xai.attribution.reverse import METHOD as REVERSE
from xai.attribution.reverse import reverse
from xai.records import Method

METHODS: tuple[Method, ...] = (ATTENTION, RANDOM, REVERSE)

__all__ = ["METHODS", "attention", "random", "reverse"]
