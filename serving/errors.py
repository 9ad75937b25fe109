"""Why Triton could not be run, each told in one sentence that says what to do.

    ServingError
    ├── PlatformError       the embedded Triton does not run on this machine
    ├── InterpreterError    the Python environment lacks something that the backend needs
    ├── InstallError        a wheel could not be installed
    ├── RepositoryError     the model repository has nothing to serve
    ├── PortInUseError      another process has the port
    ├── StartError          Triton could not be started, or did not become ready
    ├── TritonApiError      a running Triton did not answer, or with an error
    └── AnalyzerError       perf_analyzer failed

The commands log the message and end with status 1; the watch over the models lives with
`TritonApiError` and looks again.
"""


class ServingError(Exception):
    """Base of everything that keeps Triton from running."""


class PlatformError(ServingError):
    """The embedded Triton does not run on this machine."""


class InterpreterError(ServingError):
    """The Python environment lacks something that the backend needs."""


class InstallError(ServingError):
    """A wheel could not be installed."""


class RepositoryError(ServingError):
    """The model repository has nothing to serve."""


class PortInUseError(ServingError):
    """Another process has the port."""


class StartError(ServingError):
    """Triton ended, or did not become ready in time."""


class TritonApiError(ServingError):
    """A running Triton did not answer, or with an error."""


class AnalyzerError(ServingError):
    """perf_analyzer could not be run, or ended with an error."""
