"""How many texts could an attack edit at all, and how does an adapter fare on those alone? A view, in both SQL dialects.

A text that offers nothing to edit (no keyword of its class, every edit refused by the proof) meets every adapter as it was, so that the
accuracies of `gold.degradation` and its kin flatter an attack that seldom finds a hold.
"""

from __future__ import annotations

from gold.examined import examined

VIEW = "attack_reach"
# 1e0 is a double in Spark and DuckDB alike; 1.0 is a decimal, whose mean Spark rounds.
SQL = f"""
SELECT p.dataset, p.adapter_id, p.corruption AS attack, p.severity, p.settings_id,
       COUNT(*) AS n,
       AVG(CASE WHEN t.is_edited THEN 1e0 ELSE 0e0 END) AS edited_share,
       AVG(CASE WHEN t.keeps_label THEN 1e0 WHEN NOT t.keeps_label THEN 0e0 END) AS kept_share,
       AVG(CASE WHEN p.is_correct THEN 1e0 ELSE 0e0 END) AS accuracy,
       AVG(CASE WHEN NOT t.is_edited THEN NULL WHEN p.is_correct THEN 1e0 ELSE 0e0 END) AS accuracy_edited,
       AVG(CASE WHEN p.flipped THEN 1e0 ELSE 0e0 END) AS flip_rate,
       AVG(CASE WHEN NOT t.is_edited THEN NULL WHEN p.flipped THEN 1e0 ELSE 0e0 END) AS flip_rate_edited
FROM ({examined("ood.predictions")}) p
JOIN ood.attacked_texts t
  ON p.dataset = t.dataset AND p.settings_id = t.settings_id AND p.example_id = t.example_id
 AND p.corruption = t.attack AND p.severity = t.severity
GROUP BY p.dataset, p.adapter_id, p.corruption, p.severity, p.settings_id
"""  # noqa: S608  # names of our own tables
COMMENT = (
    "How far each attack reached, per adapter, attack, severity and settings_id: the share of texts it could edit, the share whose label "
    "is proved to be kept (null without a proof), and accuracy and flip rate over all n texts and over the edited ones. "
    "As in gold.degradation only the examined texts count, whatever a larger run has left."
)
