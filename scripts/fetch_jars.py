"""How do the Delta jars come to this checkout? Once, through the Ivy that pyspark ships, into `.venv/jars`; later no network is needed.

Where from: Ivy's own default, or $ASSAY_IVY_SETTINGS (an ivysettings.xml), or $ASSAY_MAVEN_URL (base of a Maven repository), or the mirror
of `central` in ~/.m2/settings.xml, the first of these that is given. With $ASSAY_JARS (a folder of jars) nothing is fetched at all.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
from importlib.util import find_spec
from pathlib import Path
from xml.etree import ElementTree
from xml.sax.saxutils import quoteattr

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from lake.jars import DependencyError, coordinates, jar_names, jars, java_command


def mirror_url(settings: Path) -> str | None:
    """URL of the first mirror of Maven Central in a Maven settings.xml, or None."""
    if not settings.is_file():
        return None
    for mirror in ElementTree.parse(settings).getroot().iterfind(".//{*}mirror"):
        of, url = (mirror.findtext("{*}mirrorOf") or "").split(","), mirror.findtext("{*}url")
        if url and {"*", "external:*", "central"} & {part.strip() for part in of}:
            return url.strip()
    return None


def ivy_settings(base_url: str) -> str:
    """An ivysettings.xml that asks one Maven repository and nothing else."""
    return (
        '<ivysettings><settings defaultResolver="given"/><resolvers>'
        f'<ibiblio name="given" m2compatible="true" root={quoteattr(base_url.rstrip("/") + "/")}/></resolvers></ivysettings>'
    )


def ivy_module(wanted: tuple[str, ...]) -> str:
    """An ivy.xml that wants exactly these coordinates: what they depend on stands in pyspark's jars already (5 files, not 34)."""
    lines = []
    for coordinate in wanted:
        group, artifact, version = coordinate.split(":")
        lines.append(f'<dependency org="{group}" name="{artifact}" rev="{version}" transitive="false" conf="default->master"/>')
    return (
        '<ivy-module version="2.0"><info organisation="assay" module="jars"/><configurations><conf name="default"/></configurations>'
        f"<dependencies>{''.join(lines)}</dependencies></ivy-module>"
    )


def settings_arguments(scratch: Path) -> list[str]:
    """What tells Ivy where to look, by the order in the module docstring; empty for Ivy's own default."""
    if given := os.environ.get("ASSAY_IVY_SETTINGS"):
        return ["-settings", given]
    url = os.environ.get("ASSAY_MAVEN_URL") or mirror_url(Path.home() / ".m2" / "settings.xml")
    if url is None:
        return []
    (scratch / "ivysettings.xml").write_text(ivy_settings(url), encoding="utf-8")
    return ["-settings", str(scratch / "ivysettings.xml")]


def ivy_jar() -> Path:
    """The Ivy library among pyspark's jars."""
    spec = find_spec("pyspark")
    found = sorted(Path(spec.origin).parent.glob("jars/ivy-*.jar")) if spec and spec.origin else []
    if not found:
        raise DependencyError("pyspark must be installed with its jars (pyspark/jars/ivy-*.jar); run `make clean setup`")
    return found[-1]


def fetch(folder: Path) -> None:
    """Puts the jars of `lake.jars.coordinates()` into `folder`, each by one rename: killed at any point, a file is whole or absent."""
    java = java_command()
    if java is None:
        raise DependencyError("java must be on the path or under JAVA_HOME; install a Java 17 runtime")
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="fetch-", dir=folder) as name:
        scratch = Path(name)
        (scratch / "ivy.xml").write_text(ivy_module(coordinates()), encoding="utf-8")
        command = [java, "-XX:TieredStopAtLevel=1", "-cp", str(ivy_jar()), "org.apache.ivy.Main", *settings_arguments(scratch), "-warn"]
        command += ["-cache", str(scratch / "cache"), "-ivy", str(scratch / "ivy.xml"), "-confs", "default"]
        command += ["-retrieve", str(scratch / "[artifact]-[revision].[ext]")]
        answer = subprocess.run(command, capture_output=True, text=True, check=False)
        absent = [jar for jar in jar_names() if not (scratch / jar).is_file()]
        if answer.returncode or absent:
            sys.stderr.write(answer.stdout + answer.stderr)
            raise DependencyError(
                f"these Delta jars must be fetched once and were not: {', '.join(absent)}. Name a reachable Maven repository in "
                "ASSAY_MAVEN_URL, or a folder that holds the jars in ASSAY_JARS, and run `make setup` again"
            )
        for stale in [*folder.glob("*.jar"), *folder.glob("*.jsa")]:
            stale.unlink()
        for jar in jar_names():
            os.replace(scratch / jar, folder / jar)


def main() -> int:
    """0 when the jars are there, 69 when they cannot be had."""
    target = ROOT / ".venv" / "jars"
    for leftover in target.glob("fetch-*"):  # of a setup that was killed
        shutil.rmtree(leftover)
    try:
        if not os.environ.get("ASSAY_JARS") and any(not (target / jar).is_file() for jar in jar_names()):
            fetch(target)
        jars()
    except DependencyError as error:
        sys.stderr.write(f"setup: {error}\n")
        return 69
    return 0


if __name__ == "__main__":
    sys.exit(main())
