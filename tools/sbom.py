"""Writes what each image's lock installs as CycloneDX, a file an image: `python -m tools.sbom`.

The packages come from the same list as `tools.licences`; cyclonedx-py writes
them with their hashes.
"""

import argparse
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Final

from tools.licences import IMAGES, exported

_TOOL: Final = str(Path(sys.executable).with_name("cyclonedx-py"))


def main() -> int:
    """Write the files; returns the exit status."""
    parser = argparse.ArgumentParser(prog="python -m tools.sbom", description=__doc__)
    parser.add_argument("--out", type=Path, default=Path("out/sbom"), help="folder (%(default)s)")
    out: Path = parser.parse_args().out
    out.mkdir(parents=True, exist_ok=True)
    for image, (_, sets) in IMAGES.items():
        written = out / f"packshot-{image}.cdx.json"
        _write(sets, written)
        print(written)
    return 0


def _write(sets: tuple[tuple[str, ...], ...], written: Path) -> None:
    with tempfile.TemporaryDirectory() as folder:
        requirements = Path(folder) / "requirements.txt"
        requirements.write_text("\n".join(exported(groups) for groups in sets))
        subprocess.run(
            [
                *(_TOOL, "requirements", "--output-reproducible", "--spec-version", "1.6"),
                *("--pyproject", "pyproject.toml", "--mc-type", "application"),
                *("--output-format", "JSON", "--output-file", str(written), str(requirements)),
            ],
            check=True,
        )


if __name__ == "__main__":
    sys.exit(main())
