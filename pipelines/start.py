"""Which commands begin with one's own data, and what do they take?"""

from __future__ import annotations

import argparse
import sys
from dataclasses import fields
from pathlib import Path
from typing import Any

NAMES = ("init", "check")


def add_start_commands(commands: Any) -> None:
    """Adds `init` and `check` to the command line's subcommands."""
    init = commands.add_parser("init", help="write a configuration from a folder of pictures or texts, and of adapters")
    init.add_argument(
        "folder",
        type=Path,
        metavar="FOLDER",
        help="class folders, split and class folders, a manifest, npz files, or pets; of texts a table, class files or class folders",
    )
    init.add_argument(
        "--adapters", type=Path, metavar="DIR", help="folder of adapter folders in PEFT layout (default: train the KI study's)"
    )
    init.add_argument(
        "--backbone",
        metavar="NAME",
        help="local folder or hub name (default: the adapters' base, else facebook/dinov2-base, of texts roberta-base)",
    )
    init.add_argument("--out", type=Path, metavar="FILE", help="where to write (default: DATASET.yaml here)")
    init.add_argument("--dataset", metavar="NAME", help="name of the dataset in all tables (default: from the folder's name)")
    init.add_argument("--text", metavar="COLUMN", help="column of a table that holds the texts (default: told by its name)")
    init.add_argument("--label", metavar="COLUMN", help="column of a table of texts that holds the labels (default: told by its name)")
    init.add_argument("--force", action="store_true", help="overwrite the file")
    check = commands.add_parser("check", help="try ten pictures or texts and every adapter of a configuration; starts no Spark")
    check.add_argument("config", type=Path, metavar="CONFIG", help="YAML file, see configs/")
    check.add_argument("--lake", metavar="DIR", help="where the tables are or will be (default: `lake` of the configuration)")
    check.add_argument("--set", action="append", default=[], metavar="KEY=VALUE", dest="overrides", help="change one key")


def start(options: argparse.Namespace) -> int:
    """Runs one of NAMES; gives its exit code."""
    if options.command == "init":
        from pipelines.init.command import Wish, init

        own = vars(options)
        wish = Wish(**{field.name: own[field.name] for field in fields(Wish)})
        return init(wish, sys.stdout)
    from pipelines.check.command import check
    from pipelines.config import load_config

    config = load_config(options.config, tuple(options.overrides))
    return check(config, options.lake or config.lake, str(options.config), sys.stdout, options.overrides)
