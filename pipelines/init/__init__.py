"""How does a folder of data, and a folder of adapters, become a configuration? `assay init`."""
