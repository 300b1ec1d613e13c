"""What does a run leave behind for people who ask later: which checks were made, and what stands behind each settings_id?"""

from __future__ import annotations

from lake.audit import QUALITY, SETTINGS_OF
from lake.door import Lake


def remember(lake: Lake) -> None:
    """Commits the run's checks and the settings that audit.settings does not hold yet; nothing when there is nothing new."""
    if lake.quality:
        lake.append(QUALITY, lake.spark.createDataFrame(lake.quality, QUALITY.ddl()).coalesce(1), len(lake.quality))
        lake.quality.clear()
    datasets = sorted({dataset for dataset, _, _ in lake.settings})
    stored = lake.read(SETTINGS_OF)
    stored = stored.where(stored["dataset"].isin(datasets))
    known = {(row.dataset, row.table_name, row.settings_id) for row in stored.select("dataset", "table_name", "settings_id").collect()}
    new = [(*key, text) for key, text in sorted(lake.settings.items()) if key not in known]
    if new:
        lake.append(SETTINGS_OF, lake.spark.createDataFrame(new, SETTINGS_OF.ddl()).coalesce(1), len(new))
