"""What do the rows work on? Pictures, backbones and adapters made here from fixed seeds: no data files, no network."""

from __future__ import annotations

import io
import json
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw

from models.backbone import Backbone, resolve_backbone

LABELS = tuple(f"class-{number:02}" for number in range(37))  # as many as Oxford-IIIT Pet has
SMALL_LABELS = LABELS[:4]
BASE = {"hidden_size": 768, "num_hidden_layers": 12, "num_attention_heads": 12, "image_size": 224, "patch_size": 14}
SMALL = {"hidden_size": 64, "num_hidden_layers": 4, "num_attention_heads": 4, "image_size": 56, "patch_size": 14}  # the demo's size
TINY = {"hidden_size": 32, "num_hidden_layers": 2, "num_attention_heads": 2, "image_size": 56, "patch_size": 14}
# Large enough that forwards outweigh commits, small enough that a run takes a few minutes on two cores.
MIDDLE = {"hidden_size": 192, "num_hidden_layers": 6, "num_attention_heads": 6, "image_size": 84, "patch_size": 14}
_DIFFERENT = 64  # pictures drawn; more differ by a comment in the file alone: other bytes and identity, equal cost


def size_text(size: dict[str, int]) -> str:
    """A size in the words of a row, such as `DINOv2 of width 64, 4 layers, 56 px`."""
    return f"DINOv2 of width {size['hidden_size']}, {size['num_hidden_layers']} layers, {size['image_size']} px"


def picture(number: int, side: int = 256) -> bytes:
    """A JPEG of three shapes under noise, as large as a photograph of that side (256 px: 29 to 33 kB), fixed by its number."""
    rng = np.random.default_rng(number)
    canvas = Image.new("RGB", (side, side), _colour(rng))
    draw = ImageDraw.Draw(canvas)
    for shape in (draw.ellipse, draw.rectangle, draw.ellipse):
        x, y = rng.integers(0, side // 2, 2).tolist()
        shape([x, y, x + side // 3, y + side // 3], fill=_colour(rng))
    noisy = np.asarray(canvas, dtype=np.float32) + rng.normal(0, 18, (side, side, 3))
    buffer = io.BytesIO()
    Image.fromarray(noisy.clip(0, 255).astype(np.uint8)).save(buffer, "JPEG", quality=88)
    return buffer.getvalue()


def _colour(rng: np.random.Generator) -> tuple[int, int, int]:
    red, green, blue = rng.integers(30, 226, 3).tolist()
    return red, green, blue


def pictures(count: int, side: int = 256) -> list[bytes]:
    """`count` JPEGs with different bytes; beyond 64 the pixels repeat."""
    drawn = [picture(number, side) for number in range(min(count, _DIFFERENT))]
    return [
        drawn[number % _DIFFERENT] if number < _DIFFERENT else _commented(drawn[number % _DIFFERENT], number) for number in range(count)
    ]


def _commented(content: bytes, number: int) -> bytes:
    """The JPEG with a comment behind its start marker (ITU T.81, B.2.4.5: FF FE, length, text)."""
    text = f"{number:08}".encode()
    return content[:2] + b"\xff\xfe" + (len(text) + 2).to_bytes(2, "big") + text + content[2:]


def picture_folder(folder: Path, count: int, side: int = 256, labels: tuple[str, ...] = SMALL_LABELS) -> Path:
    """Pictures in one folder per class, classes in turn; written once."""
    if folder.is_dir():
        return folder
    for number, content in enumerate(pictures(count, side)):
        path = folder.with_name(folder.name + ".part") / labels[number % len(labels)] / f"{number:06}.jpg"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
    folder.with_name(folder.name + ".part").rename(folder)
    return folder


def backbone_folder(folder: Path, size: dict[str, int]) -> Backbone:
    """A DINOv2 of this size with random weights (speed does not depend on them), as transformers saves it; written once."""
    import torch
    from transformers import Dinov2Config, Dinov2Model

    if not (folder / "config.json").is_file():
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(0)
            Dinov2Model(Dinov2Config(**size)).save_pretrained(folder)  # type: ignore[arg-type]  # every key is a whole number
    return resolve_backbone(str(folder))


def adapter_folders(folder: Path, backbone: Backbone, numbers: range, labels: tuple[str, ...] = SMALL_LABELS) -> list[Path]:
    """One folder in PEFT layout per number: LoRA (DoRA, rsLoRA, rank 4) around the backbone, one drawn, the others its perturbations."""
    import torch

    from models.backbone import new_classifier
    from models.lora import adapter_state, with_lora
    from models.recipe import Recipe

    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(1)
        model = with_lora(new_classifier(backbone, labels), Recipe(name="bench", rank=4), backbone.name)
        state = adapter_state(model)
    return [_adapter(folder / f"adapter-{number:03}", model, state, number, labels) for number in numbers]


def _adapter(folder: Path, model: Any, state: dict[str, Any], number: int, labels: tuple[str, ...]) -> Path:
    import torch

    from models.lora import save_adapter

    draw = torch.Generator().manual_seed(number)
    moved = {name: tensor + 0.05 * torch.randn(tensor.shape, generator=draw) for name, tensor in state.items()}
    folder.mkdir(parents=True)
    save_adapter(model, moved, folder)
    (folder / "config.json").write_text(json.dumps({"id2label": {str(row): label for row, label in enumerate(labels)}}))
    return folder


def decoded(contents: list[bytes], size: int) -> NDArray[np.uint8]:
    """uint8 [n, size, size, 3]: a plain Pillow loop, for rows that compare with code that is not ours."""

    def one(content: bytes) -> NDArray[np.uint8]:
        return np.asarray(Image.open(io.BytesIO(content)).convert("RGB").resize((size, size), Image.Resampling.BICUBIC))

    return np.stack([one(content) for content in contents])
