"""Is what strangers wrote shown as text, on one line?"""

from __future__ import annotations

import io

import pytest

from pipelines.plan.adapters import Adapters
from pipelines.plan.dry_run import write_adapters
from pipelines.visible import visible


@pytest.mark.parametrize(
    ("text", "shown"),
    [("Käse 猫", "Käse 猫"), ("a\x1b[2Jb", "a\\x1b[2Jb"), ("a\r\nb\t", "a\\r\\nb\\t"), ("\u202egpj", "\\u202egpj"), ("\udcff", "\\udcff")],
)
def test_what_a_terminal_would_obey_is_an_escape_and_the_rest_is_as_it_was(text: str, shown: str) -> None:
    assert visible(text) == shown


def test_a_rejected_adapters_name_and_reason_stay_on_their_line_of_the_plan() -> None:
    told = io.StringIO()
    write_adapters(Adapters(rejected=[("x\n\x1b[2J", "bad_config: a\rb")]), told)
    assert told.getvalue().splitlines()[1:] == ["    rejected x\\n\\x1b[2J: bad_config: a\\rb"]
