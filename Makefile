# What can be done with this checkout? Each target is one call; the work is in scripts/.
.DEFAULT_GOAL := help
.PHONY: help setup archive demo test check bench dist clean
BIN := .venv/bin

help:     ## this list
	@sed -n 's/^\([a-z]*\): .*##/\1\t/p' $(MAKEFILE_LIST)
setup:    ## virtual environment, pinned packages, Delta jars: once, then at no cost
	@scripts/setup
archive:  setup ## class archive of the Spark driver: each cold session starts 4 s sooner (optional)
	@$(BIN)/python scripts/archive_classes.py
demo:     setup ## the whole pipeline, on pictures that ship inside a dependency and on sentences of a grammar; leaves build/demo-lake/report.html
	@$(BIN)/assay run configs/demo.yaml configs/demo_texts.yaml --lake build/demo-lake
	@$(BIN)/assay report --lake build/demo-lake
check:    setup ## lint, format, types, import rules, unexplained suppressions
	@$(BIN)/python scripts/check.py
# Two processes share the cores: where each has a thread per core they wait for one another, and the tests take a seventh longer.
test: export OMP_NUM_THREADS ?= 1
test:     setup ## every check and every test
	@$(MAKE) --no-print-directory --jobs=2 check archive && $(BIN)/python -m pytest -n 2 --durations=40 --durations-min=5
bench:    setup ## speed of the hot paths on this machine, beside its own peak: under 40 minutes, benchmarks/results, docs/benchmarks.md
	@$(BIN)/python -m benchmarks
dist:     setup ## archive and job files for spark-submit, see docs/cluster.md
	@$(BIN)/python scripts/make_dist.py
clean:    ## removes what make and the tools made, the virtual environment included
	@rm -rf .venv build dist .pytest_cache .ruff_cache .mypy_cache .import_linter_cache ./*.egg-info spark-warehouse metastore_db derby.log
