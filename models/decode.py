"""How do the bytes of a picture become pixels, and when do they not? The one place that knows how a picture is converted.

Rules, each with the note it leaves: EXIF rotation is applied (`exif_rotated`); of several frames or pages the first is taken
(`first_frame`); transparency is blended on white (`alpha_on_white`); 16-bit samples keep their high byte (`scaled_16_bit`);
CMYK goes through Pillow's plain formula, colour profiles ignored (`cmyk`). Palette, grey and bilevel become RGB without loss, without note.
32-bit samples have no fixed range and are rejected. No Pillow global is read into effect or set, so threads do not disturb each other.
"""

from __future__ import annotations

import io
import re
import struct
import zlib
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageOps

from models.errors import RejectedInput

FORMATS = ("JPEG", "PNG", "GIF", "BMP", "TIFF", "WEBP", "PPM")
SIGNATURES = (b"\xff\xd8\xff", b"\x89PNG\r\n\x1a\n", b"GIF87a", b"GIF89a", b"BM", b"II*\0", b"MM\0*")
_WEBP = slice(8, 12)  # RIFF, a length, then the kind of RIFF
_ADDRESS = re.compile(r"\s*<[^<>]* at 0x[0-9a-f]+>")  # Pillow names the buffer it read: equal runs must write equal rows
# What Pillow's decoders raise on damaged bytes; found by cutting and flipping bytes of every format.
DAMAGE = (OSError, SyntaxError, ValueError, EOFError, struct.error, zlib.error, IndexError, KeyError, TypeError, OverflowError)
BOMB = (Image.DecompressionBombError, Image.DecompressionBombWarning)
_ORIENTATION = 0x0112
_STORED_BLOCK = 65535


@dataclass(frozen=True)
class DecodeLimits:
    """The largest picture that is decoded: bytes of the file, and pixels (width x height) in its header."""

    max_bytes: int = 50_000_000
    max_pixels: int = 50_000_000


@dataclass(frozen=True)
class Decoded:
    """A picture as uint8[h,w,3] RGB, and what was done to it beyond a lossless conversion."""

    image: NDArray[np.uint8]
    notes: tuple[str, ...]


def decode(content: bytes, limits: DecodeLimits) -> Decoded:
    """The picture in `content`: whole, or not at all.

    Raises RejectedInput: `too_large` (by length, before anything is read), `bomb` (by the header, before any pixel is decoded),
    `truncated` (damaged behind a known signature), `decode_error` (no picture).
    """
    if len(content) > limits.max_bytes:
        raise RejectedInput("too_large", f"a picture file must be at most {limits.max_bytes:,} bytes, found {len(content):,}.")
    try:
        with Image.open(io.BytesIO(content), formats=FORMATS) as picture:
            _check_pixels(picture.width, picture.height, limits)
            return _converted(picture, content)
    except RejectedInput:
        raise  # a ValueError too, but already has its code
    except BOMB as error:
        raise RejectedInput("bomb", f"a picture must be at most {limits.max_pixels:,} pixels: {error}") from error
    except DAMAGE as error:
        code = "truncated" if _has_signature(content) else "decode_error"
        reason = _ADDRESS.sub("", str(error))[:200] or type(error).__name__
        raise RejectedInput(code, f"the bytes must be a whole picture ({', '.join(FORMATS)}): {reason}") from error


def _has_signature(content: bytes) -> bool:
    return content.startswith(SIGNATURES) or (content.startswith(b"RIFF") and content[_WEBP] == b"WEBP")


def _check_pixels(width: int, height: int, limits: DecodeLimits) -> None:
    if width * height > limits.max_pixels:
        raise RejectedInput("bomb", f"a picture must be at most {limits.max_pixels:,} pixels, its header says {width:,} x {height:,}.")


def _converted(picture: Image.Image, content: bytes) -> Decoded:
    notes: list[str] = []
    if getattr(picture, "is_animated", False):
        notes.append("first_frame")
    picture.seek(0)
    picture.load()
    rotated: Image.Image = picture
    if picture.getexif().get(_ORIENTATION, 1) in range(2, 9):
        notes.append("exif_rotated")
        rotated = ImageOps.exif_transpose(picture)
    rgb, more = _rgb(rotated)
    if content.startswith(SIGNATURES[1]) and content[24:25] == b"\x10" and "scaled_16_bit" not in more:
        more = (*more, "scaled_16_bit")  # Pillow took the high byte of a 16-bit colour PNG itself, its mode does not tell
    return Decoded(np.array(rgb, dtype=np.uint8), (*notes, *more))


def _rgb(picture: Image.Image) -> tuple[Image.Image, tuple[str, ...]]:
    """The picture in RGB and the notes of its mode."""
    if picture.mode.startswith("I;16"):
        high_byte = (np.asarray(picture).astype(np.uint16) >> 8).astype(np.uint8)
        return Image.fromarray(high_byte).convert("RGB"), ("scaled_16_bit",)
    if picture.mode in ("I", "F"):
        raise RejectedInput("decode_error", f"samples must be 8 or 16 bit, found 32 (mode {picture.mode}). Save the picture as 8-bit RGB.")
    if picture.has_transparency_data:
        layer = picture.convert("RGBA")
        white = Image.new("RGBA", layer.size, "white")
        return Image.alpha_composite(white, layer).convert("RGB"), ("alpha_on_white",)
    return picture.convert("RGB"), ("cmyk",) if picture.mode == "CMYK" else ()


def encode_png(image: NDArray[np.uint8]) -> bytes:
    """uint8[h,w,3] or uint8[h,w] -> PNG, the same bytes on every machine. ValueError on another shape or type.

    Written here with stored (uncompressed) blocks, because an example's identity is the hash of these bytes and
    compressors differ between builds of the same library.
    """
    if image.dtype != np.uint8 or image.ndim not in (2, 3) or image.shape[2:] not in ((), (3,)) or 0 in image.shape:
        raise ValueError(f"image must be uint8[h,w,3] or uint8[h,w], found {image.dtype}{list(image.shape)}.")
    height, width = image.shape[:2]
    colour_type = 2 if image.ndim == 3 else 0
    rows = np.concatenate([np.zeros((height, 1), dtype=np.uint8), image.reshape(height, -1)], axis=1).tobytes()  # filter 0 before each row
    header = struct.pack(">IIBBBBB", width, height, 8, colour_type, 0, 0, 0)
    return SIGNATURES[1] + _chunk(b"IHDR", header) + _chunk(b"IDAT", _stored(rows)) + _chunk(b"IEND", b"")


def _chunk(kind: bytes, content: bytes) -> bytes:
    return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))


def _stored(content: bytes) -> bytes:
    """A zlib stream (RFC 1950) of stored blocks only (RFC 1951, 3.2.4)."""
    blocks = [content[start : start + _STORED_BLOCK] for start in range(0, len(content), _STORED_BLOCK)]
    parts = [struct.pack("<BHH", int(i == len(blocks) - 1), len(b), len(b) ^ 0xFFFF) + b for i, b in enumerate(blocks)]
    return b"\x78\x01" + b"".join(parts) + struct.pack(">I", zlib.adler32(content))
