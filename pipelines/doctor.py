"""Will Assay run here, and how fast can it be? Versions, Java, jars, devices, threads, memory, and what to do about each problem."""

from __future__ import annotations

import os
import platform
import sys
import tempfile
import tomllib
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from shutil import disk_usage
from typing import Literal, TextIO

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from lake.jars import JAVA_VERSIONS, DependencyError, jars, java_version

ROOT = Path(__file__).resolve().parent.parent
ROOMS = ("bronze", "gold", "lake", "models", "ood", "pipelines", "silver", "xai")
UNAVAILABLE = 69
PYTHON_VERSION = (3, 11)
GIB = 1024**3
MEMORY_GIB = 4.0  # the embedded driver takes 2, a worker with a base-size model 1.5
TEMP_GIB = 2.0
USEFUL_FLAGS = ("avx2", "avx512f", "avx512_bf16", "amx_bf16")


@dataclass(frozen=True)
class Finding:
    """One thing looked at. `bad`: Assay cannot run; `warn`: it runs, slower or not as pinned. `fix` says what to do, empty when `ok`."""

    what: str
    state: Literal["ok", "warn", "bad"]
    found: str
    fix: str = ""


def doctor() -> list[Finding]:
    """Everything looked at, in a fixed order. Starts no session and uses no network; imports torch (2-5 s)."""
    return [
        python_finding(sys.version_info[:2]),
        java_finding(java_version()),
        jars_finding(jars),
        *package_findings(),
        *device_findings(),
        threads_finding(usable_cores(), os.environ.get("OMP_NUM_THREADS")),
        memory_finding(memory_bytes()),
        temp_finding(Path(tempfile.gettempdir())),
        *shadow_findings(sys.path, ROOT),
    ]


def report(findings: Sequence[Finding], stream: TextIO) -> int:
    """Writes a plain table, a fix below each problem. Returns 69 when something is `bad`, else 0."""
    width = max((len(finding.what) for finding in findings), default=0)
    for finding in findings:
        stream.write(f"{finding.state:4s}  {finding.what:{width}s}  {finding.found}\n")
        if finding.fix:
            stream.write(f"{'':4s}  {'':{width}s}  -> {finding.fix}\n")
    count = {state: sum(finding.state == state for finding in findings) for state in ("ok", "warn", "bad")}
    stream.write(f"{count['ok']} ok, {count['warn']} to know, {count['bad']} to mend\n")
    return UNAVAILABLE if count["bad"] else 0


def python_finding(found: tuple[int, ...]) -> Finding:
    """`found` is (major, minor)."""
    text = ".".join(map(str, found))
    if found == PYTHON_VERSION:
        return Finding("python", "ok", platform.python_version())
    return Finding("python", "bad", text, "Python 3.11 must run Assay: run `make setup` with it and use .venv/bin/assay")


def java_finding(found: int | None) -> Finding:
    """`found` is the feature version, None for no Java."""
    if found in JAVA_VERSIONS:
        return Finding("java", "ok", str(found))
    wanted = " or ".join(map(str, JAVA_VERSIONS))
    return Finding("java", "bad", "none" if found is None else str(found), f"install Java {wanted} and put it on the path or in JAVA_HOME")


def jars_finding(find: Callable[[], list[Path]]) -> Finding:
    """`find` is `lake.jars.jars`."""
    try:
        found = find()
    except DependencyError as error:
        return Finding("delta jars", "bad", "incomplete", str(error))
    return Finding("delta jars", "ok", f"{len(found)} in {found[0].parent}")


def pinned(lines: Iterable[str]) -> Iterator[Requirement]:
    """The requirements of a constraints file that apply to this platform and Python."""
    for line in lines:
        text = line.split("#")[0].strip()
        if text:
            requirement = Requirement(text)
            if requirement.marker is None or requirement.marker.evaluate():
                yield requirement


def installed(name: str) -> str | None:
    """Version of an installed distribution, or None."""
    try:
        return version(name)
    except PackageNotFoundError:
        return None


def package_findings(root: Path = ROOT, look_up: Callable[[str], str | None] = installed) -> list[Finding]:
    """Installed against pinned: absence is `bad` for what the project itself requires, another version `warn`; all well is one line."""
    constraints = root / "constraints.txt"
    if not constraints.is_file():
        return [Finding("packages", "warn", f"no {constraints.name} beside the rooms", "run from a checkout to compare versions")]
    project = tomllib.loads((root / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    direct = {canonicalize_name(Requirement(text).name) for text in project["dependencies"]}
    pins = list(pinned(constraints.read_text(encoding="utf-8").splitlines()))
    problems = [finding for pin in pins if (finding := _package_problem(pin, look_up(pin.name), canonicalize_name(pin.name) in direct))]
    return problems or [Finding("packages", "ok", f"{len(pins)} as pinned")]


def _package_problem(pin: Requirement, found: str | None, required: bool) -> Finding | None:
    if found is None:
        return Finding(pin.name, "bad", "not installed", f"run `make setup` (wanted {pin.specifier})") if required else None
    if pin.specifier.contains(found, prereleases=True):  # a local build such as 2.13.0+cpu satisfies ==2.13.0
        return None
    return Finding(pin.name, "warn", f"{found}, pinned {pin.specifier}", "run `make setup`; results may differ from the pinned stack's")


def device_findings(cpu_info: Path = Path("/proc/cpuinfo")) -> list[Finding]:
    """What computes: CUDA devices with their memory, the CPU's name and the vector units that matter to torch. Never `bad`."""
    return [_cuda_finding(), cpu_finding(cpu_info.read_text(encoding="utf-8") if cpu_info.is_file() else "")]


def _cuda_finding() -> Finding:
    if installed("torch") is None:
        return Finding("cuda", "warn", "torch is not installed", "run `make setup`")
    import torch

    if not torch.cuda.is_available():
        return Finding("cuda", "ok", f"none; torch {torch.__version__} computes on the CPU")
    devices = [torch.cuda.get_device_properties(index) for index in range(torch.cuda.device_count())]
    return Finding("cuda", "ok", ", ".join(f"{device.name} ({device.total_memory / GIB:.0f} GiB)" for device in devices))


def cpu_finding(cpu_info: str) -> Finding:
    """`cpu_info` is the text of /proc/cpuinfo, empty where there is none."""
    pairs = (line.partition(":") for line in cpu_info.splitlines())
    facts = {name.strip(): value.strip() for name, _, value in pairs}
    flags = [flag for flag in USEFUL_FLAGS if flag in facts.get("flags", "").split()]
    found = f"{facts.get('model name', platform.machine())}; {', '.join(flags) or 'no vector flags known'}"
    if {"amx_bf16", "avx512_bf16"} & set(flags):
        return Finding("cpu", "ok", found)
    return Finding("cpu", "warn", found, "no native bf16 here: compute in float32, bf16 would be slower")


def usable_cores() -> int:
    """Cores this process may run on (affinity, not the machine's count)."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def threads_finding(cores: int, omp: str | None) -> Finding:
    """Cores against OMP_NUM_THREADS; unset is well: workers set their own count."""
    found = f"{cores} cores, OMP_NUM_THREADS={'unset' if omp is None else omp}"
    if omp is None or (omp.isdigit() and 1 <= int(omp) <= cores):
        return Finding("threads", "ok", found)
    return Finding("threads", "warn", found, f"unset OMP_NUM_THREADS or set it to 1..{cores}: more threads than cores wait for each other")


def memory_bytes(limit: Path = Path("/sys/fs/cgroup/memory.max")) -> int:
    """Memory this process may use: the machine's, or the container's limit where that is lower. Bytes."""
    machine = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    text = limit.read_text(encoding="ascii").strip() if limit.is_file() else ""
    return min(machine, int(text)) if text.isdigit() else machine


def memory_finding(found: int) -> Finding:
    """`found` in bytes."""
    text = f"{found / GIB:.1f} GiB"
    if found >= MEMORY_GIB * GIB:
        return Finding("memory", "ok", text)
    return Finding("memory", "warn", text, f"give it {MEMORY_GIB:.0f} GiB, or lower spark.driver.memory and work on small models only")


def temp_finding(folder: Path) -> Finding:
    """Spark spills and stages in the temporary folder: it must be writable and have room."""
    try:
        with tempfile.TemporaryFile(dir=folder):
            free = disk_usage(folder).free
    except OSError as error:
        return Finding("temp", "bad", f"{folder}: {error.strerror}", "set TMPDIR to a folder that can be written")
    if free >= TEMP_GIB * GIB:
        return Finding("temp", "ok", f"{folder}, {free / GIB:.0f} GiB free")
    return Finding(
        "temp", "warn", f"{folder}, {free / GIB:.1f} GiB free", f"free {TEMP_GIB:.0f} GiB there, or set TMPDIR to a roomier folder"
    )


def shadow_findings(paths: Sequence[str], root: Path) -> list[Finding]:
    """Foreign packages with the names of our rooms: before our root on the path they would be imported in our place (`bad`)."""
    places = [Path(path or ".").resolve() for path in paths]
    own = places.index(root) if root in places else len(places)
    findings = []
    for index, place in enumerate(places):
        for room in ROOMS if place != root else ():
            if (place / room / "__init__.py").is_file() or (place / f"{room}.py").is_file():
                state: Literal["bad", "warn"] = "bad" if index < own else "warn"
                findings.append(Finding(room, state, f"another `{room}` in {place}", f"take {place} off PYTHONPATH or rename it there"))
    return findings or [Finding("rooms", "ok", f"{len(ROOMS)} from {root}")]
