"""What can be asked of Assay on the command line?"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from pipelines.exits import USAGE, guarded
from pipelines.start import NAMES, add_start_commands, start

LONGEST_CALIBRATION = 3600
EXAMPLES = """examples:
  assay init pictures/ --adapters adapters/ --out mine.yaml
  assay check mine.yaml
  assay run configs/demo.yaml --lake build/demo-lake
  assay run configs/demo.yaml --lake build/demo-lake --layers ood,gold --set corruptions.names=[all]
  assay run configs/demo.yaml configs/demo_texts.yaml --lake build/demo-lake
  assay run configs/demo.yaml --lake build/demo-lake --dry-run
  assay train configs/demo.yaml --lake build/demo-lake
  assay sql "SELECT name, accuracy FROM silver.adapters" --lake build/demo-lake
  assay serve-sql --lake build/demo-lake
  assay status --lake build/demo-lake
  assay report --lake build/demo-lake
  assay forecast mine.yaml --adapter new-adapter --lake my-lake
  assay gate --lake my-lake --adapter new-adapter --max-failure 0.2
  assay doctor
"""
FORECAST_EXAMPLES = """examples:
  assay forecast mine.yaml --adapter adapters/new --lake my-lake
  assay sql "SELECT * FROM gold.forecasts WHERE origin = 'ahead'" --lake my-lake
"""
GATE_EXAMPLES = """examples:
  assay gate --lake my-lake --adapter new --max-failure 0.2
  assay gate --lake my-lake --adapter new --max-failure 0.4 --worst --cautious --corruption fog
"""


REPORT_EXAMPLES = """examples:
  assay report --lake build/demo-lake
  assay report --lake build/demo-lake --out /tmp/adapters.html
"""


def parser() -> argparse.ArgumentParser:
    """All commands with their arguments."""
    top = argparse.ArgumentParser(
        prog="assay",
        description="Which LoRA adapters will break when inputs shift, and why: answers in Delta tables.",
        epilog=EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    commands = top.add_subparsers(dest="command", required=True, metavar="COMMAND")
    run = commands.add_parser("run", help="bring a lake up to date with a configuration: only what is missing is computed")
    add_run_arguments(run)
    train = commands.add_parser("train", help="train the adapters of a configuration that do not exist yet")
    add_train_arguments(train)
    foretell = commands.add_parser(
        "forecast",
        help="the failure rates to expect of one new adapter, from its clean answers alone; stored before it is tried",
        epilog=FORECAST_EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    add_forecast_arguments(foretell)
    door = commands.add_parser(
        "gate",
        help="exit code 0 or 65: does an adapter fail too often, as observed or, where it was not tried yet, as forecast?",
        epilog=GATE_EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    add_gate_arguments(door)
    add_start_commands(commands)
    sql = commands.add_parser("sql", help="query any table as layer.table")
    sql.add_argument("query", help='one SELECT, such as "SELECT * FROM gold.worst_corruption"')
    sql.add_argument("--lake", required=True, metavar="DIR")
    sql.add_argument("--engine", choices=("spark", "duckdb"), help="duckdb needs no JVM (default for local lakes)")
    sql.add_argument("--format", choices=("table", "csv", "json"), default="table")
    sql.add_argument("--as-of", metavar="WHEN", help="read an earlier state: a version number, a time (UTC), or run:RUN_ID")
    endpoint = commands.add_parser("serve-sql", help="a JDBC/ODBC endpoint (Spark Thrift server) with every table and view of a lake")
    add_serve_sql_arguments(endpoint)
    status = commands.add_parser("status", help="what is in a lake")
    status.add_argument("--lake", required=True, metavar="DIR")
    page = commands.add_parser(
        "report",
        help="one HTML file that says what a lake says: verdict, adapters, curves, tables, failures; needs no network and no JVM",
        epilog=REPORT_EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    add_report_arguments(page)
    commands.add_parser("doctor", help="versions, jars, devices, thread counts, with fixes")
    return top


def add_common_arguments(command: argparse.ArgumentParser) -> None:
    command.add_argument("--lake", metavar="DIR", help="where the tables are (default: `lake` of the configuration)")
    command.add_argument(
        "--set", action="append", default=[], metavar="KEY=VALUE", dest="overrides", help="change one key, such as gold.n_folds=3"
    )
    command.add_argument("--run-id", metavar="ID", help="name of this run in the audit tables (default: made up)")


def add_run_arguments(command: argparse.ArgumentParser) -> None:
    command.add_argument(
        "configs", type=Path, nargs="+", metavar="CONFIG", help="YAML file, see configs/; several are run one after the other"
    )
    add_common_arguments(command)
    command.add_argument("--layers", default="bronze,silver,ood,gold", help="comma-separated: bronze,silver,ood,gold (default: all)")
    command.add_argument("--dry-run", action="store_true", help="print what would be computed, and what it costs; write nothing")
    command.add_argument(
        "--calibrate-seconds", type=_seconds, default=20.0, metavar="N", help="how long a dry run measures (0: counts only)"
    )
    command.add_argument("--quiet", action="store_true", help="no tables at the end, only the JSON line")


def _seconds(text: str) -> float:
    number = float(text)
    if not 0 <= number <= LONGEST_CALIBRATION:  # NaN is in no range
        raise argparse.ArgumentTypeError(f"must be 0 to {LONGEST_CALIBRATION} seconds, found {text}")
    return number


def add_serve_sql_arguments(command: argparse.ArgumentParser) -> None:
    command.add_argument("--lake", required=True, metavar="DIR")
    command.add_argument("--port", type=int, default=10000, metavar="N", help="where to listen; 0: any free port (default: 10000)")
    command.add_argument("--host", default="127.0.0.1", help="address to listen on (default: loopback; there is no password)")


def add_report_arguments(command: argparse.ArgumentParser) -> None:
    command.add_argument("--lake", required=True, metavar="DIR", help="the lake's folder; only read")
    command.add_argument("--out", metavar="FILE", help="where to write (default: report.html in the lake's folder)")


def add_forecast_arguments(command: argparse.ArgumentParser) -> None:
    command.add_argument("config", type=Path, metavar="CONFIG", help="YAML file that the lake was made with")
    command.add_argument("--adapter", type=Path, required=True, metavar="DIR", help="the adapter's folder, in PEFT layout")
    add_common_arguments(command)


def add_gate_arguments(command: argparse.ArgumentParser) -> None:
    command.add_argument("--lake", required=True, metavar="DIR")
    command.add_argument("--adapter", required=True, metavar="A", help="name of the adapter, or the beginning of its id")
    command.add_argument("--max-failure", required=True, type=share, metavar="RATE", help="largest share of wrong answers that will do")
    command.add_argument("--corruption", action="append", dest="corruptions", metavar="NAME", help="only of this one; can be repeated")
    command.add_argument("--worst", action="store_true", help="every corruption and severity must hold the bound (default: their mean)")
    command.add_argument("--cautious", action="store_true", help="of forecasts the upper end of the interval counts")
    command.add_argument("--dataset", metavar="NAME", help="where an adapter's name stands in several")


def share(text: str) -> float:
    """A number from 0 to 1; argparse names this function where it is none."""
    number = float(text)
    if not 0 <= number <= 1:
        raise argparse.ArgumentTypeError(f"must be a share from 0 to 1, found {text}")
    return number


def add_train_arguments(command: argparse.ArgumentParser) -> None:
    command.add_argument("config", type=Path, metavar="CONFIG", help="YAML file, see configs/")
    add_common_arguments(command)


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs one command; gives the exit code of CONTRACTS."""
    try:
        options = parser().parse_args(arguments)
    except SystemExit as stop:  # argparse has printed help (0) or the usage error
        return USAGE if stop.code else 0
    return guarded(lambda: dispatch(options))


def dispatch(options: argparse.Namespace) -> int:
    """Calls what the command stands for; imports late, so that help and errors are quick."""
    if options.command in NAMES:
        return start(options)
    if options.command == "sql":
        from pipelines.sql.query import query

        return query(options.lake, options.query, options.engine, options.format, sys.stdout, options.as_of)
    if options.command == "serve-sql":
        from pipelines.sql.serve import serve

        return serve(options.lake, options.host, options.port, sys.stdout)
    if options.command == "status":
        from pipelines.status import status

        return status(options.lake, sys.stdout)
    if options.command == "report":
        from pipelines.report.command import report as write_report

        return write_report(options.lake, options.out, sys.stdout)
    if options.command == "gate":
        from pipelines.gate import Wish, gate

        corruptions = None if options.corruptions is None else tuple(options.corruptions)
        wish = Wish(options.adapter, options.max_failure, corruptions, options.worst, options.cautious, options.dataset)
        return gate(options.lake, wish, sys.stdout)
    if options.command == "doctor":
        from pipelines.doctor import doctor, report

        return report(doctor(), sys.stdout)
    from pipelines.command import forecast, run, train

    return {"train": train, "forecast": forecast, "run": run}[options.command](options)


if __name__ == "__main__":
    sys.exit(main())
