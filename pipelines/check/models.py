"""Do backbone, adapters and corruptions work on the tried pictures?"""

from __future__ import annotations

import tempfile
import time
from pathlib import Path

import numpy as np

from lake.errors import MissingInputError
from lake.identity import rng
from models.backbone import Backbone, resolve_backbone
from models.decode import decode
from models.dtype import resolve_dtype
from models.errors import ArtifactError
from models.images import preprocessing_of
from models.scoring import Scoring
from ood.corruptions import corrupt
from pipelines.backbones import named_backbone
from pipelines.check.adapter_rows import check_adapters
from pipelines.check.backbone import pretrained_folder, stand_in
from pipelines.check.findings import Checked
from pipelines.check.source import Pictures
from pipelines.check.tried_pictures import TriedPictures
from pipelines.config import Config
from pipelines.exits import DATA, MISSING
from pipelines.pictures_only import picture_pretraining
from silver.adapters.offers import Zoo


def check_models(config: Config, artifacts: Path | None, pictures: Pictures, checked: Checked) -> None:
    """Rows backbone, corruptions, one per adapter, adapters. What is trained or merged goes to a temporary folder."""
    with tempfile.TemporaryDirectory(prefix="assay-check-") as scratch:
        backbone, stands_in = _backbone(config, artifacts, Path(scratch), checked)
        if backbone is None:
            _corruptions(config, pictures, None, checked)
            return
        scoring = scoring_of(config, backbone)
        tried = _embedded(config, backbone, pictures, stands_in, checked)
        _corruptions(config, pictures, tried, checked)
        zoo = Zoo(config.dataset, pictures.labels, scoring, config.adapters, Path(scratch))
        check_adapters(config, zoo, tried, stands_in, checked)


def scoring_of(config: Config, backbone: Backbone) -> Scoring:
    """What the run's scoring stages would use."""
    own, cache = config.scoring, int(config.execution.cache_gb * 2**30)
    limits = config.decode.limits()
    return Scoring(backbone, preprocessing_of(backbone.folder), limits, resolve_dtype(own.dtype), own.batch_size, cache)


def _backbone(config: Config, artifacts: Path | None, scratch: Path, checked: Checked) -> tuple[Backbone | None, bool]:
    """The backbone, and whether it only stands in for one that the run will pre-train."""
    own = config.backbone
    try:
        if own.name is not None:
            return named_backbone(own.name, own.revision), False
        if own.pretrain is None:
            return None, False
        if (folder := pretrained_folder(config, artifacts)) is not None:
            return resolve_backbone(str(folder)), False
        return stand_in(picture_pretraining(own.pretrain), scratch), True
    except MissingInputError as error:
        checked.add("backbone", "missing", str(error), MISSING)
    except ArtifactError as error:
        checked.add("backbone", "cannot be used", str(error), DATA)
    return None, False


def _embedded(config: Config, backbone: Backbone, pictures: Pictures, stands_in: bool, checked: Checked) -> TriedPictures:
    """The tried pictures at model resolution; row `backbone` says whether their embeddings are finite."""
    scoring = scoring_of(config, backbone)
    tried = TriedPictures(
        scoring.pictures([picture.content for picture in pictures.tried]),
        np.array([pictures.labels.index(picture.reference.label or "") for picture in pictures.tried], dtype=np.int64),
    )
    own = config.embeddings
    embedding = Scoring(backbone, scoring.preprocessing, scoring.limits, resolve_dtype(own.dtype), own.batch_size, scoring.cache_bytes)
    try:
        pooled, units = embedding.scorer().embed(embedding.pixels(tried.pictures))
    except ArtifactError as error:
        checked.add("backbone", f"{backbone.name} cannot be used", str(error), DATA)
        return tried
    finite = bool(np.isfinite(pooled).all() and np.isfinite(units).all())
    shape = f"{backbone.image_size} px, {backbone.n_units} patches, {backbone.n_layers} layers of {backbone.hidden_size}"
    name = f"pre-trained by the run; one of its shape was tried: {shape}" if stands_in else f"{backbone.name}: {shape}"
    fix = "" if finite else f"embeddings in {embedding.dtype} are not finite; such rows are tried again in float32, then rejected"
    checked.add("backbone", f"{name}; scored in {scoring.dtype}", fix)
    return tried


def _corruptions(config: Config, pictures: Pictures, tried: TriedPictures | None, checked: Checked) -> None:
    """Every cell applied once to the first tried picture."""
    cells = config.corruptions.cells()
    if tried is not None and config.corruptions.apply_at == "model":
        picture = tried.pictures[0]
    else:
        picture = decode(pictures.tried[0].content, config.decode.limits()).image
    started = time.monotonic()
    for name, severity in cells:
        corrupt(picture, name, severity, rng(config.corruptions.seed, pictures.tried[0].example_id, name, severity))
    seconds = time.monotonic() - started
    kinds = len({name for name, _ in cells}) - 1
    height, width = picture.shape[:2]
    checked.add(
        "corruptions", f"{kinds} in {len(cells) - 1} cells beside clean, {seconds * 1000:.0f} ms for one {width} x {height} picture"
    )
