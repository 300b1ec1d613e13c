"""Does a run from raw files to gold leave what the contracts promise?"""

from __future__ import annotations


def test_x(built) -> None:
    import json
    print(json.dumps(built.trained.tables, indent=1), built.trained.seconds)
    print(json.dumps(built.outcome.tables, indent=1), built.outcome.seconds)
    print(built.root)
