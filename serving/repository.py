"""The model repository on disk: what it has to serve."""

from collections.abc import Iterable
from pathlib import Path

from serving.errors import RepositoryError


def models_to_load(repository: Path, wanted: Iterable[str]) -> tuple[str, ...]:
    """List the models that Triton is to load.

    Args:
        repository: The model repository.
        wanted: Names; none: every model that the repository has.

    Returns:
        The names, sorted.

    Raises:
        RepositoryError: The repository, a model or every model is missing.
    """
    if not repository.is_dir():
        raise RepositoryError(f"there is no model repository at {repository.resolve()}")
    found = {path.name for path in repository.iterdir() if _has_version(path)}
    if not found:
        raise RepositoryError(
            f"the model repository {repository.resolve()} has no model (MODEL/VERSION/model.onnx)"
        )
    missing = sorted(set(wanted) - found)
    if missing:
        raise RepositoryError(
            f"the model repository {repository.resolve()} has no model {', '.join(missing)}, only "
            f"{', '.join(sorted(found))}"
        )
    return tuple(sorted(set(wanted) or found))


def _has_version(model: Path) -> bool:
    return model.is_dir() and any(
        version.is_dir() and version.name.isdecimal() for version in model.iterdir()
    )
