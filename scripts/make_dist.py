"""What does a cluster need of this checkout? One archive for `--py-files` with all rooms, and the job files: `make dist` writes dist/.

The archive is the same bytes whenever and wherever it is made from the same files. It also carries the package's name and version, so that
`importlib.metadata` answers on machines where Assay is not installed.
"""

from __future__ import annotations

import os
import shutil
import sys
import tomllib
import zipfile
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from pipelines.rooms import ROOMS

DIST = ROOT / "dist"
SUFFIXES = (".py", ".properties")
EPOCH = (1980, 1, 1, 0, 0, 0)  # the earliest time that a zip can hold


def version(root: Path = ROOT) -> str:
    """The version in pyproject.toml, which is also part of the archive's name."""
    return str(tomllib.loads((root / "pyproject.toml").read_text(encoding="utf-8"))["project"]["version"])


def contents(root: Path = ROOT) -> dict[str, bytes]:
    """Name inside the archive -> bytes, sorted: every source file of every room, and the package's metadata."""
    paths = [path for room in ROOMS for path in (root / room).rglob("*") if path.suffix in SUFFIXES]
    files = {path.relative_to(root).as_posix(): path.read_bytes() for path in paths}
    metadata = f"Metadata-Version: 2.1\nName: assay\nVersion: {version(root)}\n"
    return dict(sorted((files | {f"assay-{version(root)}.dist-info/METADATA": metadata.encode()}).items()))


def write_archive(target: Path, files: dict[str, bytes]) -> None:
    """Writes one zip by one rename: killed at any point, it is whole or absent."""
    part = target.with_suffix(".part")
    with zipfile.ZipFile(part, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in files.items():
            entry = zipfile.ZipInfo(name, EPOCH)
            entry.external_attr, entry.compress_type = 0o644 << 16, zipfile.ZIP_DEFLATED
            archive.writestr(entry, content)
    os.replace(part, target)


def make(folder: Path = DIST) -> Path:
    """Writes `assay-VERSION.zip` and `jobs/` into `folder`, and removes jobs that are no more; gives the path of the archive."""
    (folder / "jobs").mkdir(parents=True, exist_ok=True)
    archive = folder / f"assay-{version()}.zip"
    write_archive(archive, contents())
    jobs = {job.name: job for job in sorted((ROOT / "jobs").glob("*.py"))}
    for name, job in jobs.items():
        shutil.copyfile(job, folder / "jobs" / name)
    for old in (folder / "jobs").glob("*.py"):
        if old.name not in jobs:
            old.unlink(missing_ok=True)
    return archive


def main() -> int:
    """0; the path of the archive stands on stdout."""
    sys.stdout.write(f"{os.path.relpath(make())}\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
