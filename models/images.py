"""How does a picture become what a backbone reads? Resize and crop in Pillow, then rescale and normalise in numpy."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray
from PIL import Image
from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from models.errors import ArtifactError
from models.folder import read_config

Triple = tuple[float, float, float]

IMAGENET_MEAN: Triple = (0.485, 0.456, 0.406)
IMAGENET_STD: Triple = (0.229, 0.224, 0.225)
_LONGEST = 16  # aspect up to which a picture is resized whole before it is cropped
_RESAMPLE = {"bilinear": Image.Resampling.BILINEAR, "bicubic": Image.Resampling.BICUBIC}
_NAME_OF: dict[int, Literal["bicubic", "bilinear"]] = {2: "bilinear", 3: "bicubic"}  # Pillow's codes, as the files have them


class Preprocessing(BaseModel):
    """The settings between a picture and a backbone. Part of every settings hash: change one and rows are new rows.

    `crop` "center": the shorter side becomes `resize_to`, then the middle `size` x `size` is cut out (DINOv2);
    "none": the picture is squeezed to `size` x `size`, its aspect lost (plain ViT), and `resize_to` equals `size`.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    size: int = Field(ge=1)
    resize_to: int = Field(ge=1)
    resample: Literal["bicubic", "bilinear"] = "bicubic"
    crop: Literal["center", "none"] = "center"
    mean: Triple = IMAGENET_MEAN
    std: Triple = IMAGENET_STD
    rescale: float = Field(default=1 / 255, gt=0)

    @model_validator(mode="after")
    def _possible(self) -> Preprocessing:
        if self.resize_to < self.size or (self.crop == "none" and self.resize_to != self.size):
            raise ValueError(f"resize_to must be at least size (equal without crop), found {self.resize_to} and {self.size}")
        if min(self.std) <= 0:
            raise ValueError(f"std must be positive, found {self.std}")
        return self


def to_model_resolution(image: NDArray[np.uint8], preprocessing: Preprocessing) -> NDArray[np.uint8]:
    """Picture uint8[h,w,3] of any size -> uint8[size,size,3]. ValueError on another shape or type.

    Byte for byte what transformers' image processors give, up to an aspect of 16. Of a longer picture only what the crop keeps
    is resampled, so that 20,000 x 10 pixels need no gigabyte; Pillow's single-precision box moves fewer than 1 % of the samples there,
    by one or two grey levels (worst of 300 noise pictures).
    """
    if image.ndim != 3 or image.shape[2] != 3 or image.dtype != np.uint8 or 0 in image.shape:
        raise ValueError(f"image must be uint8[h,w,3], found {image.dtype}{list(image.shape)}. Decode it with models.decode first.")
    size, (height, width) = preprocessing.size, image.shape[:2]
    target = (size, size) if preprocessing.crop == "none" else _resized(height, width, preprocessing.resize_to)
    top, left = (target[0] - size) // 2, (target[1] - size) // 2
    picture, resample = Image.fromarray(image), _RESAMPLE[preprocessing.resample]
    if max(target) <= _LONGEST * min(target):
        return np.array(picture.resize((target[1], target[0]), resample))[top : top + size, left : left + size]
    scale_y, scale_x = height / target[0], width / target[1]
    columns = (left * scale_x, 0, min((left + size) * scale_x, width), height)
    rows = (0, top * scale_y, size, min((top + size) * scale_y, height))
    # Two calls, for in one Pillow may go through the rows first; rounding between the passes makes the order count.
    narrow = picture.resize((size, height), resample, box=columns)
    return np.array(narrow.resize((size, size), resample, box=rows))


def normalise(images: NDArray[np.uint8], preprocessing: Preprocessing) -> NDArray[np.float32]:
    """Pictures uint8[n,s,s,3] -> (image * rescale - mean) / std, float32[n,3,s,s]. The input is not edited."""
    planes = images.transpose(0, 3, 1, 2).astype(np.float32, order="C")  # channels first, then in place: 10 times faster than last
    mean, std = np.asarray(preprocessing.mean, dtype=np.float32), np.asarray(preprocessing.std, dtype=np.float32)
    planes *= np.float32(preprocessing.rescale)
    planes -= mean[:, None, None]
    planes /= std[:, None, None]
    return planes


def _resized(height: int, width: int, shorter: int) -> tuple[int, int]:
    """Height and width with the shorter side at `shorter`, the longer cut to an integer as transformers does."""
    if height <= width:
        return shorter, int(shorter * width / height)
    return int(shorter * height / width), shorter


def preprocessing_of(folder: Path) -> Preprocessing:
    """The settings of the backbone in `folder`: its preprocessor_config.json, else defaults for its config.json.

    Raises ArtifactError `bad_config` where the file asks for what is not done here (no resize, another filter, no square).
    """
    path = Path(folder) / "preprocessor_config.json"
    try:
        if path.is_file():
            return _from_processor(read_config(path))
        return _default(read_config(Path(folder) / "config.json"))
    except (ValidationError, KeyError, TypeError) as error:
        raise ArtifactError("bad_config", f"{path}: the picture settings cannot be used: {error}") from error


def _from_processor(config: Mapping[str, Any]) -> Preprocessing:
    if not config.get("do_resize", True):
        raise ArtifactError("bad_config", "preprocessor_config.json: do_resize must be true, for the backbone needs one picture size.")
    resample = _NAME_OF.get(config.get("resample", int(Image.Resampling.BICUBIC)))
    if resample is None:
        raise ArtifactError("bad_config", f"preprocessor_config.json: resample must be one of {_NAME_OF}, found {config['resample']}.")
    size, resize_to, crop = _geometry(config)
    normalise = config.get("do_normalize", True)
    return Preprocessing(
        size=size,
        resize_to=resize_to,
        resample=resample,
        crop=crop,
        mean=tuple(config.get("image_mean", IMAGENET_MEAN)) if normalise else (0.0, 0.0, 0.0),
        std=tuple(config.get("image_std", IMAGENET_STD)) if normalise else (1.0, 1.0, 1.0),
        rescale=config.get("rescale_factor", 1 / 255) if config.get("do_rescale", True) else 1.0,
    )


def _geometry(config: Mapping[str, Any]) -> tuple[int, int, Literal["center", "none"]]:
    """(size, resize_to, crop). Both spellings of a size are read: a number of old files, a dictionary of new ones."""
    size = config["size"]
    if config.get("do_center_crop", False):
        shorter = size["shortest_edge"] if isinstance(size, Mapping) else size
        return _side(config["crop_size"]), int(shorter), "center"
    return _side(size), _side(size), "none"


def _side(size: Any) -> int:
    height, width = (size["height"], size["width"]) if isinstance(size, Mapping) else (size, size)
    if height != width:
        raise ArtifactError("bad_config", f"preprocessor_config.json: pictures must end up square, found {height} x {width}.")
    return int(height)


def _default(config: Mapping[str, Any]) -> Preprocessing:
    """What the family's own processor does by default, at the configured picture size; DINOv2 keeps its ratio of 256 to 224."""
    size = int(config["image_size"])
    if config.get("model_type") == "vit":
        half: Triple = (0.5, 0.5, 0.5)
        return Preprocessing(size=size, resize_to=size, resample="bilinear", crop="none", mean=half, std=half)
    return Preprocessing(size=size, resize_to=round(size * 256 / 224))
