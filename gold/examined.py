"""Which stored rows of shifted examples are those that gold judged? As SQL that Spark and DuckDB both read."""

from __future__ import annotations


def examined(table: str) -> str:
    """SELECT of the rows of `table` (ood.predictions, or its current form) that gold.degradation counts, with their `place`.

    A run that examined more leaves its rows beside: examined are those of the smallest ids, and gold.degradation says how many of an
    adapter under one corruption and severity. Cells that the configuration no longer asks for are left out. What a row of an older
    settings_id stands for nobody knows any more: of those as many count.
    """
    return f"""
SELECT o.* FROM (
  SELECT *, ROW_NUMBER() OVER (PARTITION BY dataset, adapter_id, corruption, severity, settings_id ORDER BY example_id) AS place
  FROM {table}
) o JOIN gold.degradation d
  ON d.dataset = o.dataset AND d.adapter_id = o.adapter_id AND d.corruption = o.corruption AND d.severity = o.severity AND o.place <= d.n
"""  # noqa: S608  # names of our own tables
