"""What of a configuration would be refused, tried without Spark? `assay check`."""
