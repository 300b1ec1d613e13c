"""What is left to do, and what will it cost? `assay run --dry-run`."""
