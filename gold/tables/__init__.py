"""One file per gold table: its spec, its build, and the record by which `gold.TABLES` knows it."""
