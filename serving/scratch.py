"""What one run of Triton leaves outside its process: a folder of its own, and shared memory."""

import logging
import re
import secrets
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from serving.errors import StartError

log = logging.getLogger(__name__)

# The Python backend starts its stub through a shell and quotes nothing.
_PLAIN_PATH = re.compile(r"[\w./+@:,-]+", re.ASCII)
_SHARED_MEMORY = Path("/dev/shm")  # noqa: S108 - where Linux has it, not a choice of ours


@dataclass(frozen=True, slots=True)
class Scratch:
    """One run's own names.

    Attributes:
        folder: A folder whose path needs no quoting.
        shm_prefix: How the names of its shared memory regions begin.
    """

    folder: Path
    shm_prefix: str

    def link_repository(self, repository: Path) -> Path:
        """Give the model repository a path that needs no quoting, wherever it lies.

        Args:
            repository: The model repository.

        Returns:
            A link to it.
        """
        link = self.folder / "repository"
        link.symlink_to(repository.resolve(), target_is_directory=True)
        return link


@contextmanager
def scratch() -> Iterator[Scratch]:
    """Make a run's folder, and clear away whatever carries its names at the end.

    A Triton that was killed removes nothing; one whose stub was killed leaves that stub's region.

    Yields:
        The names.

    Raises:
        StartError: There is no usable folder for temporary files.
    """
    places = [Path(tempfile.gettempdir()), Path("/tmp"), Path("/var/tmp")]  # noqa: S108
    parent = next((p for p in places if p.is_dir() and _PLAIN_PATH.fullmatch(str(p))), None)
    if parent is None:
        raise StartError(f"{tempfile.gettempdir()} (TMPDIR) has a name that the stub cannot take")
    folder = Path(tempfile.mkdtemp(prefix="packshot-serving-", dir=parent))
    prefix = f"packshot_{secrets.token_hex(6)}_"
    try:
        yield Scratch(folder, prefix)
    finally:
        shutil.rmtree(folder, ignore_errors=True)
        left = list(_SHARED_MEMORY.glob(f"{prefix}*"))
        for region in left:
            region.unlink(missing_ok=True)
        if left:
            log.info("removed %d shared memory regions that Triton left", len(left))
