"""Which columns of a file of records mean what, and are they there?"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from bronze.reference import printable
from lake.errors import ConfigError

CONTENT = ("path", "text")  # fields of a record that must be text; the others may be whole numbers too
METADATA = "metadata:"  # before the names of columns that are kept as they are: fields of any plain value


@dataclass(frozen=True)
class Columns:
    """Field of a record -> column of the file. `file`, `setting`: what messages call the file, and the settings to correct.

    `required`: columns that must be there once each. `usual`: fields whose column of the same name is used where there is one.
    """

    file: str
    setting: str
    required: Mapping[str, str]
    usual: tuple[str, ...] = ()

    def found(self, header: Iterable[str]) -> dict[str, str]:
        """Field -> column, of a file with these columns. Raises ConfigError for a required one that is not there, or there twice."""
        names = list(header)
        if lacking := [name for name in self.required.values() if names.count(name) != 1]:
            raise ConfigError(
                f"{self.file} must have the columns {', '.join(self.required.values())} once each; it has "
                f"{printable(', '.join(names)) or 'none'}: correct {', '.join(lacking)} there, or {self.setting}"
            )
        return {**self.required, **{field: field for field in self.usual if names.count(field) == 1}}


def columns_of(
    file: str,
    setting: str,
    content: Mapping[str, str],
    label: str,
    split: str | None,
    id: str | None,  # noqa: A002  # the field's name
    metadata: Iterable[str] = (),
) -> Columns:
    """The columns that the options of a reader ask for. `content`: `path` or `text` -> its column. A split or id of None is `usual`."""
    optional = {"split": split, "id": id}
    given = {field: name for field, name in optional.items() if name is not None}
    kept = {f"{METADATA}{name}": name for name in metadata}
    return Columns(file, setting, {**content, "label": label, **given, **kept}, tuple(field for field in optional if field not in given))
