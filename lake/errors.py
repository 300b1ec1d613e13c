"""Which promises does the lake make, and what is raised when one is broken?"""


class ConfigError(ValueError):
    """The user's configuration cannot be used. The message names the key, what was found and what to write."""


class ContractError(RuntimeError):
    """A table would break its contract (row-count law, unique key, schema, format). Nothing was committed."""


class MissingInputError(FileNotFoundError):
    """An input the configuration names is not there. The message says where it was looked for."""


class LeaseHeldError(RuntimeError):
    """Another live run works on this lake. Try again when it has ended."""


class DataRefusedError(RuntimeError):
    """The data was read, and too much of it cannot be used."""
