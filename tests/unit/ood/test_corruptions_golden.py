"""Did the bytes of any corruption change? Old rows would then silently mix with new ones.

The digests hold for the versions that constraints.txt pins, on x86-64 (another processor family may fuse multiply and add, and so round a
few values the other way). After a wanted change, or an upgrade of NumPy, SciPy or Pillow, look at what moved and print the table anew with
`python tests/unit/ood/test_corruptions_golden.py`; the change belongs into CHANGELOG.md and into the settings hash of the ood rows.
"""

from __future__ import annotations

import hashlib
import sys
from pathlib import Path

import numpy as np

if __name__ == "__main__":
    sys.path.insert(0, str(Path(__file__).resolve().parents[3]))

from ood.corruptions import CORRUPTIONS, Image, corrupt

GOLDEN: dict[str, tuple[str, ...]] = {
    "none": ("b6af51ba66641d3d",),
    "ki_gaussian_noise": ("f3978d5517dfb734", "5847e68d8d5c253b", "be05f25fcb8debe2"),
    "ki_gaussian_blur": ("41a7add09f9ab8a6", "f0af5e35ee3ee6f5", "12bed27ff5f2cfa7"),
    "ki_contrast": ("5273c5e2ccd28e4f", "68a114096d8129e5", "e008b2f16107b70b"),
    "gaussian_noise": ("67fa86048ac984fd", "521b5e83d6266178", "6228cef1593d0174", "29b8f96fd211057f", "7ee0df5d41576734"),
    "shot_noise": ("39e172a54f1a0ec0", "2c063df038068e64", "381f4039d1999d87", "42009116ed3393b3", "e227f57c5da3231a"),
    "impulse_noise": ("984f5860ce4864c7", "82d03c046a340551", "08a46f141c922dd8", "149cf54b2a06b8bb", "7d752267008475bd"),
    "defocus_blur": ("d3bce8cc185dbc80", "090b0a359fa32390", "d9bfaf3fda1dbbc0", "bda217f46e8bf5c5", "cf3972cc053d4453"),
    "glass_blur": ("b6fae52d37732269", "dd5c0dba959384cf", "1dc43d0b920945dc", "a69f5a076d60baf1", "e5a5a14bd1c1c012"),
    "motion_blur": ("2dc670ebc9db8d26", "95c3dad0ad65c6e1", "c5c8837195e9bb0c", "795ed33c40d498f1", "4768abef51475293"),
    "zoom_blur": ("436cba2879c93dfc", "42cf07e6be5c1bb6", "abdb0aee94dd3023", "40ac157380f172f8", "27fa2cd9cdef4c72"),
    "snow": ("e582425624668710", "b8721c5e26e12a71", "8dd9b113f42f32d7", "edba04ef689778f8", "af7274291626e93b"),
    "frost": ("936bd2c62691a8d5", "89d7714b0ef4044d", "237c0ac712035ecc", "bbf1417ef2555ed5", "1e439fdd19cf8377"),
    "fog": ("62400fab72ba05ad", "255c91476a839700", "6980dcbe417d72e6", "4eaffa2a7f639d77", "7db7b25dee7445d4"),
    "brightness": ("9ed2279ec3a1dfe7", "29527c8d3ab5a476", "7e3dccdf9590b1ed", "2e91a2c4e935dd62", "44ee252370c34b69"),
    "contrast": ("6923ce946e56d220", "a689810dbb0aa445", "c85b13ffc668179c", "437226e9a5b82794", "a0c722c767e85a1f"),
    "elastic_transform": ("e979fb40d965ba19", "5b4a6266ca6f5ce1", "b26f65eaf1d867ed", "6bdeb493a4622846", "141cefd90729718b"),
    "pixelate": ("8a35ff858c4eeb17", "143f5e688424c459", "50cdcfcf36cecaf4", "ffd11b903e61a699", "10eedde545d25d75"),
    "jpeg_compression": ("1bd53d9be8673e39", "5ef162d65137dc0c", "dc34da24a050561f", "fc39114dc1ad0830", "4990c1142cb74c9b"),
}


def picture() -> Image:
    """56 x 56: a slope, a product and a weave, in whole numbers only, so that no library has a part in it."""
    y, x = np.mgrid[:56, :56]
    return np.stack([(3 * x + 5 * y) % 256, (x * y) % 256, ((x ^ y) * 7) % 256], axis=-1).astype(np.uint8)


def digests() -> dict[str, tuple[str, ...]]:
    """Name -> first 16 hex digits of the sha256 of the bytes, one per severity."""
    return {record.name: tuple(digest(record.name, severity) for severity in record.severities) for record in CORRUPTIONS}


def digest(name: str, severity: int) -> str:
    changed = corrupt(picture(), name, severity, np.random.Generator(np.random.PCG64(20_240)))
    return hashlib.sha256(changed.tobytes()).hexdigest()[:16]


def test_no_corruption_changed_a_byte() -> None:
    assert digests() == GOLDEN


if __name__ == "__main__":
    for key, values in digests().items():
        sys.stdout.write(f'    "{key}": ({", ".join(f"{chr(34)}{value}{chr(34)}" for value in values)}{"," * (len(values) == 1)}),\n')
