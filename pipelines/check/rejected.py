"""Would so many inputs be rejected that the run would refuse the data?"""

from __future__ import annotations

from collections import Counter

from pipelines.check.findings import Checked
from pipelines.exits import DATA


def check_rejected(what: str, found: str, codes: Counter[str], n_places: int, limit: float, checked: Checked) -> None:
    """Row `what` of a source with rejected inputs. `found`: what is there; `codes`: error code -> inputs, at least one; `limit`: the share
    of all `n_places` that may be rejected."""
    told = ", ".join(f"{n:,} {code}" for code, n in codes.most_common())
    refused = codes.total() / n_places > limit
    over = f"more than execution.max_rejected_share = {limit:g}: the run would refuse the data"
    fix = over if refused else "each becomes a row with its reason"
    advice = f"{fix}; mend or remove them, or see bronze.rejected after the run"
    checked.add(what, f"{found}; rejected: {told}", advice, DATA if refused else 0)
