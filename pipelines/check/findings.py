"""What has a check found so far, and with which exit code would it end?"""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TextIO

from pipelines.doctor import Finding
from pipelines.visible import visible


@dataclass
class Checked:
    """The findings so far, in order, and the exit code of the first bad one (0 while there is none)."""

    findings: list[Finding] = field(default_factory=list)
    code: int = 0

    def add(self, what: str, found: str, fix: str = "", code: int = 0) -> None:
        """One finding: `bad` with an exit code, `warn` with something to do about it, else `ok`."""
        self.findings.append(Finding(what, "bad" if code else "warn" if fix else "ok", found, fix))
        self.code = self.code or code

    def note(self, what: str, found: str) -> None:
        """More about a finding that was warned of: what to do stands there."""
        self.findings.append(Finding(what, "warn", found, ""))


def near(path: str) -> str:
    """A path as a person would type it: relative to the working folder where that is shorter."""
    return min(path, os.path.relpath(path), key=len)


def write_findings(findings: Sequence[Finding], stream: TextIO) -> None:
    """A line per finding, what to do below each problem. What strangers wrote in names and files cannot steer the terminal."""
    width = max((len(visible(finding.what)) for finding in findings), default=0)
    for finding in findings:
        stream.write(f"{finding.state:4s}  {visible(finding.what):{width}s}  {visible(finding.found)}\n")
        if finding.fix:
            stream.write(f"{'':4s}  {'':{width}s}  -> {visible(finding.fix)}\n")
