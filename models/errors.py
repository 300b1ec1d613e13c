"""What is raised when a file brought from outside (weights, configuration, picture, text) cannot be used?"""

from __future__ import annotations


class _CodedError(ValueError):
    """A refusal with a code of the published list and a message that says what must hold, what was found, what to do."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(code, message)
        self.code = code
        self.message = message

    def __str__(self) -> str:
        return f"{self.code}: {self.message}"


class ArtifactError(_CodedError):
    """A backbone, adapter or forecaster on disk cannot be used.

    Codes: pickle, bad_safetensors, bad_config, tensor_mismatch, label_mismatch, nonfinite, not_a_file; of forecasters bad_forecaster,
    feature_mismatch, unknown_cell; of provenance heads training_mismatch.
    """


class RejectedInput(_CodedError):
    """One input cannot become an example; its neighbours are unaffected.

    Codes: too_large; of pictures decode_error, truncated, bomb; of texts empty_text, invalid_utf8, nul.
    """
