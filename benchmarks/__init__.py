"""How fast is Assay on this machine? `python -m benchmarks`; never installed, and never part of the tests' timing."""
