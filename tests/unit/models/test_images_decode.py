"""Is a picture decoded whole by its documented rule, or rejected with its code?"""

from __future__ import annotations

import io
import struct
import subprocess
import sys
import tracemalloc
import zlib
from typing import Any

import numpy as np
import pytest
from PIL import Image

from models.decode import DecodeLimits, decode, encode_png
from models.errors import RejectedInput

LIMITS = DecodeLimits()


def photo(height: int = 30, width: int = 44) -> Image.Image:
    noise = np.random.default_rng(1).integers(0, 256, (height // 4 + 1, width // 4 + 1, 3), dtype=np.uint8)
    return Image.fromarray(noise).resize((width, height))


def file_of(image: Image.Image, kind: str, **options: Any) -> bytes:
    buffer = io.BytesIO()
    image.save(buffer, kind, **options)
    return buffer.getvalue()


def code_of(content: bytes, limits: DecodeLimits = LIMITS) -> str:
    with pytest.raises(RejectedInput) as caught:
        decode(content, limits)
    return caught.value.code


def outcome(content: bytes, limits: DecodeLimits) -> str | np.ndarray:
    """The picture, or the code of its rejection; any other exception goes through."""
    try:
        return decode(content, limits).image
    except RejectedInput as error:
        return error.code


FILES = {
    "jpeg": file_of(photo(), "JPEG"),
    "progressive": file_of(photo(), "JPEG", progressive=True),
    "png": file_of(photo(), "PNG"),
    "gif": file_of(photo(), "GIF"),
    "animated": file_of(photo(), "GIF", save_all=True, append_images=[photo().transpose(Image.Transpose.ROTATE_180)]),
    "bmp": file_of(photo(), "BMP"),
    "webp": file_of(photo(), "WEBP"),
}


@pytest.mark.parametrize("kind", FILES)
def test_a_picture_cut_anywhere_is_rejected_or_whole_never_half(kind: str) -> None:
    content = FILES[kind]
    whole = decode(content, LIMITS).image
    cuts = [*range(12, len(content), max(1, len(content) // 60)), *range(len(content) - 30, len(content))]
    outcomes = [outcome(content[:cut], LIMITS) for cut in cuts]  # from 12 bytes on, every signature was read
    assert {found for found in outcomes if isinstance(found, str)} == {"truncated"}
    assert all(np.array_equal(found, whole) for found in outcomes if not isinstance(found, str))
    assert sum(isinstance(found, str) for found in outcomes) > 20  # of about 90; an animation is whole once its first frame is


def test_a_cut_picture_is_truncated_and_other_bytes_are_a_decode_error() -> None:
    assert code_of(FILES["jpeg"][:-200]) == "truncated"
    assert code_of(b"") == "decode_error"
    assert code_of(b"not a picture at all") == "decode_error"
    assert code_of(b"RIFF\x10\0\0\0WAVEfmt ") == "decode_error"


@pytest.mark.parametrize("kind", FILES)
def test_flipped_bytes_never_raise_anything_but_a_rejection(kind: str) -> None:
    generator = np.random.default_rng(5)
    for _ in range(60):
        content = bytearray(FILES[kind])
        for place in generator.integers(0, min(len(content), 200), 4):
            content[place] = generator.integers(0, 256)
        found = outcome(bytes(content), DecodeLimits(max_pixels=50_000))
        assert found in ("truncated", "decode_error", "bomb") if isinstance(found, str) else found.ndim == 3


def test_a_file_over_the_cap_is_refused_by_its_length_alone() -> None:
    assert code_of(FILES["png"], DecodeLimits(max_bytes=len(FILES["png"]) - 1)) == "too_large"
    assert decode(FILES["png"], DecodeLimits(max_bytes=len(FILES["png"]))).notes == ()


@pytest.mark.filterwarnings("ignore::PIL.Image.DecompressionBombWarning")  # Pillow's own opinion; ours is the rejection
@pytest.mark.parametrize("side", [8_000, 12_000, 60_000])
def test_a_bomb_is_refused_from_its_header_with_memory_flat(side: int) -> None:
    # 8,000^2 is over our cap only, 12,000^2 makes Pillow warn, 60,000^2 makes it refuse; the pixels would be zeros in a few bytes
    header = struct.pack(">IIBBBBB", side, side, 8, 0, 0, 0, 0)
    chunks = [(b"IHDR", header), (b"IDAT", zlib.compress(bytes(10_000))), (b"IEND", b"")]
    content = b"\x89PNG\r\n\x1a\n" + b"".join(
        struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data)) for kind, data in chunks
    )
    tracemalloc.start()
    assert code_of(content) == "bomb"
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 1_000_000  # the pixels are 64 MB and more


def test_exif_rotation_is_applied() -> None:
    image = np.zeros((8, 16, 3), dtype=np.uint8)
    image[:, :8] = 255  # left half white
    exif = Image.Exif()
    exif[0x0112] = 6  # the camera was turned: rotate 90 degrees clockwise to show, so the left side comes to the top
    found = decode(file_of(Image.fromarray(image), "PNG", exif=exif), LIMITS)
    assert found.notes == ("exif_rotated",)
    assert found.image.shape == (16, 8, 3)
    assert found.image[:8].min() == 255
    assert found.image[8:].max() == 0


def test_an_upright_exif_orientation_leaves_no_note() -> None:
    exif = Image.Exif()
    exif[0x0112] = 1
    assert decode(file_of(photo(), "JPEG", exif=exif), LIMITS).notes == ()


@pytest.mark.parametrize(("kind", "options"), [("GIF", {}), ("PNG", {}), ("WEBP", {"lossless": True}), ("TIFF", {})])
def test_of_an_animation_the_first_frame_is_taken(kind: str, options: dict[str, Any]) -> None:
    frames = [Image.new("RGB", (9, 7), colour) for colour in ("red", "blue", "lime")]
    found = decode(file_of(frames[0], kind, save_all=True, append_images=frames[1:], **options), LIMITS)
    assert found.notes == ("first_frame",)
    assert (found.image == (255, 0, 0)).all()


@pytest.mark.parametrize("mode", ["RGBA", "LA", "PA-like", "RGB key"])
def test_transparency_is_blended_on_white(mode: str) -> None:
    if mode == "RGBA":
        # alpha 51 of 255 is 0.2: 0.2 * 100 + 0.8 * 255 = 224
        content, expected = file_of(Image.new("RGBA", (3, 2), (100, 100, 100, 51)), "PNG"), 224
    elif mode == "LA":
        content, expected = file_of(Image.new("LA", (3, 2), (100, 51)), "PNG"), 224
    elif mode == "PA-like":
        palette = Image.new("P", (3, 2), 1)
        palette.putpalette([0, 0, 0, 100, 100, 100])
        content, expected = file_of(palette, "PNG", transparency=bytes([255, 51])), 224
    else:
        content, expected = file_of(Image.new("RGB", (3, 2), (1, 2, 3)), "PNG", transparency=(1, 2, 3)), 255
    found = decode(content, LIMITS)
    assert found.notes == ("alpha_on_white",)
    assert (found.image == expected).all()


def test_sixteen_bit_samples_keep_their_high_byte() -> None:
    grey = np.array([[0, 255, 256, 32768, 65535]], dtype=np.uint16)
    found = decode(file_of(Image.fromarray(grey), "PNG"), LIMITS)
    assert found.notes == ("scaled_16_bit",)
    assert found.image[0, :, 0].tolist() == [0, 0, 1, 128, 255]
    assert decode(file_of(Image.fromarray(grey), "TIFF"), LIMITS).image[0, :, 2].tolist() == [0, 0, 1, 128, 255]


def test_a_sixteen_bit_colour_png_is_noted_although_its_mode_does_not_tell() -> None:
    pixel = b"\0" + struct.pack(">HHH", 0x1234, 0x00FF, 0xFFFF)  # filter byte, then red, green, blue
    chunks = [(b"IHDR", struct.pack(">IIBBBBB", 1, 1, 16, 2, 0, 0, 0)), (b"IDAT", zlib.compress(pixel)), (b"IEND", b"")]
    content = b"\x89PNG\r\n\x1a\n" + b"".join(
        struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data)) for kind, data in chunks
    )
    found = decode(content, LIMITS)
    assert (found.notes, found.image.tolist()) == (("scaled_16_bit",), [[[0x12, 0x00, 0xFF]]])


def test_thirty_two_bit_samples_are_rejected() -> None:
    assert code_of(file_of(Image.fromarray(np.full((2, 2), 0.5, dtype=np.float32)), "TIFF")) == "decode_error"


def test_palette_grey_and_bilevel_become_rgb_without_a_note() -> None:
    palette = Image.new("P", (2, 2), 1)
    palette.putpalette([0, 0, 0, 9, 8, 7])
    assert decode(file_of(palette, "PNG"), LIMITS).image[0, 0].tolist() == [9, 8, 7]
    assert decode(file_of(Image.new("L", (2, 2), 77), "PNG"), LIMITS).image[1, 1].tolist() == [77, 77, 77]
    bilevel = decode(file_of(Image.new("1", (2, 2), 1), "PNG"), LIMITS)
    assert (bilevel.image[0, 0].tolist(), bilevel.notes) == ([255, 255, 255], ())


def test_cmyk_becomes_rgb_with_a_note() -> None:
    found = decode(file_of(Image.new("CMYK", (8, 8), (0, 255, 255, 0)), "JPEG"), LIMITS)
    assert found.notes == ("cmyk",)
    assert np.abs(found.image.astype(int) - (255, 0, 0)).max() <= 2  # no cyan, all magenta and yellow: red


@pytest.mark.parametrize("shape", [(1, 1), (10, 20_000)])
def test_a_single_pixel_and_a_very_long_picture_are_decoded(shape: tuple[int, int]) -> None:
    assert decode(file_of(Image.new("RGB", shape[::-1], "red"), "PNG"), LIMITS).image.shape == (*shape, 3)


@pytest.mark.parametrize("shape", [(8, 8), (5, 7, 3), (1, 1, 3), (200, 150, 3)])
def test_an_array_survives_the_png_written_for_it(shape: tuple[int, ...]) -> None:
    image = np.random.default_rng(2).integers(0, 256, shape, dtype=np.uint8)  # 200 x 150 x 3 needs two stored blocks
    found = decode(encode_png(image), LIMITS)
    assert found.notes == ()
    assert np.array_equal(found.image, image if image.ndim == 3 else np.stack([image] * 3, axis=-1))


def test_the_png_of_an_array_is_these_bytes_wherever_it_is_made() -> None:
    # One stored block (01, length 4, its complement): two rows of filter byte 0 and sample. Adler-32 by hand: the low half is
    # 1+0+5+0+6 = 12, the high half 1+6+6+12 = 25. The three CRC-32 are those Pillow accepts when it reads the file back.
    expected = (
        "89504e470d0a1a0a"
        "0000000d 49484452 00000001 00000002 08 00 00 00 00 bceae9fb"
        "0000000f 49444154 7801 01 0400 fbff 0005 0006 0019000c d27e55f9"
        "00000000 49454e44 ae426082"
    )
    image = np.array([[5], [6]], dtype=np.uint8)
    assert encode_png(image) == bytes.fromhex(expected)
    assert decode(encode_png(image), LIMITS).image[:, 0, 0].tolist() == [5, 6]


@pytest.mark.parametrize("image", [np.zeros((2, 2, 4), np.uint8), np.zeros((0, 2), np.uint8), np.zeros((2, 2), np.float32)])
def test_an_array_that_is_no_picture_is_refused(image: Any) -> None:
    with pytest.raises(ValueError, match="uint8"):
        encode_png(image)


def test_decoding_needs_no_torch() -> None:
    """Bronze decodes in workers that never load a model."""
    code = "import sys, models.decode; sys.exit('torch' in sys.modules or 'transformers' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
