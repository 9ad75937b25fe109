"""What can go wrong while models are trained, exported and judged.

ExportError
├── PicturesError      a folder of training or evaluation pictures is not of the expected form
├── CheckpointError    a checkpoint or weights file does not fit the network or configuration
├── VerificationError  an exported model does not answer as the network does
├── RecipeError        a recipe for a public model is not of the expected form
├── LicenceError       a public model's licence was not accepted
├── DownloadError      a public model could not be fetched whole and unchanged
└── ModelFileError     a model file is not of a form that can be served


└── PackageError       a package that only some commands need is not installed
"""


class ExportError(Exception):
    """Base of every error of this package."""


class PicturesError(ExportError):
    """A folder of training or evaluation pictures is not of the expected form."""


class CheckpointError(ExportError):
    """A checkpoint or weights file does not fit the network or configuration."""


class VerificationError(ExportError):
    """An exported model does not answer as the network does."""


class RecipeError(ExportError):
    """A recipe for a public model is not of the expected form."""


class LicenceError(ExportError):
    """A public model's licence was not accepted."""


class DownloadError(ExportError):
    """A public model could not be fetched whole and unchanged."""


class ModelFileError(ExportError):
    """A model file is not of a form that can be served."""


class PackageError(ExportError):
    """A package that only some commands need is not installed."""
