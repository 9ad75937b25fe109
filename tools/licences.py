"""Lists the licences of all that an image's lock installs: `python -m tools.licences [IMAGE…]`.

The packages of the image's groups are installed from the lock, as for the image's Python, into a
folder apart; their metadata and the libraries that their wheels carry along are read there. What
has no licence that is known becomes `UNKNOWN`, and a test refuses that. It needs PyPI.
"""

import argparse
import re
import subprocess
import sys
import tempfile
import tomllib
from collections.abc import Iterator
from importlib.metadata import Distribution, distributions
from pathlib import Path
from typing import Any, Final

from packaging.licenses import InvalidLicenseExpression, canonicalize_license_expression

FOLDER: Final = Path("deploy/images/licences")
UNKNOWN: Final = "UNKNOWN"
# Of each image: its Python, and the groups that its Dockerfile installs, each set in a place apart.
IMAGES: Final[dict[str, tuple[str, tuple[tuple[str, ...], ...]]]] = {
    "gateway": ("3.13", (("--extra", "cli", "--group", "gateway", "--group", "web"),)),
    "serving-cpu": ("3.13", (("--only-group", "serving"), ("--only-group", "triton"))),
    "serving-gpu": ("3.12", (("--only-group", "serving-native"),)),
    # What the build argument EXTRA_GROUPS=heif adds to the gateway.
    "heif": ("3.13", (("--only-group", "heif"),)),
}
_UV: Final = str(Path(sys.executable).with_name("uv"))
# What auditwheel puts into a library's name, and a version before `.so`.
_HASH: Final = re.compile(r"-[0-9a-f]{8}(?![0-9a-f])")
_VERSION: Final = re.compile(r"(?:[-.]r?\d+(?:\.\d+)*)+$")


def main() -> int:
    """Write the lists; returns the exit status: 1 if something has no known licence."""
    parser = argparse.ArgumentParser(prog="python -m tools.licences", description=__doc__)
    parser.add_argument("images", nargs="*", default=list(IMAGES), metavar="IMAGE")
    unknown = False
    for image in parser.parse_args().images:
        lines = listed(image)
        unknown = unknown or any(UNKNOWN in line for line in lines)
        (FOLDER / f"{image}.txt").write_text("\n".join(lines) + "\n")
    return int(unknown)


def listed(image: str) -> list[str]:
    """Install what an image holds and list it: name, version and licence, libraries indented."""
    known = tomllib.loads((FOLDER / "known.toml").read_text())
    python, sets = IMAGES[image]
    lines = []
    with tempfile.TemporaryDirectory() as folder:
        for number, groups in enumerate(sets):
            place = Path(folder) / str(number)
            _install(groups, python, place)
            found = sorted(distributions(path=[str(place)]), key=lambda each: each.name.lower())
            for each in found:
                lines.append(f"{each.name} {each.version}: {licence_of(each, known)}")
                lines += [f"  {name}: {licence}" for name, licence in _libraries(each, known)]
    return lines


def exported(groups: tuple[str, ...]) -> str:
    """Return what some groups install by the lock, as a list of requirements with hashes."""
    command = (_UV, "export", "--quiet", "--frozen", "--offline", "--no-emit-project")
    done = subprocess.run(
        [*command, "--no-annotate", "--no-header", *groups],
        check=True,
        capture_output=True,
        text=True,
    )
    return done.stdout


def licence_of(package: Distribution, known: dict[str, Any]) -> str:
    """Return a package's licence as an SPDX expression; `UNKNOWN` where it cannot be told."""
    expressions = package.metadata.get_all("License-Expression") or []
    named = [one.strip() for one in package.metadata.get_all("License") or []]
    # Else a classifier says it: `License :: OSI Approved :: MIT License`.
    classifiers = package.metadata.get_all("Classifier") or []
    named += [one.rpartition(" :: ")[2] for one in classifiers if one.startswith("License :: ")]
    told = [known["words"][one] for one in named if one in known["words"]]
    words = next(iter([*expressions, *told]), None)
    try:
        return str(canonicalize_license_expression(words)) if words else UNKNOWN
    except InvalidLicenseExpression:
        return UNKNOWN


def library_licence(file: str, known: dict[str, Any]) -> str:
    """Return the licence of a library by its file's name; `UNKNOWN` where it cannot be told."""
    stem, _, version = _HASH.sub("", file).partition(".so")
    name = _VERSION.sub("", stem.removeprefix("lib"))
    # OpenSSL changed its licence with its third version.
    if version.startswith(".1.1") and f"{name}.so.1.1" in known["libraries"]:
        name = f"{name}.so.1.1"
    return str(known["libraries"].get(name, UNKNOWN))


def _libraries(package: Distribution, known: dict[str, Any]) -> Iterator[tuple[str, str]]:
    for file in sorted({path.name for path in package.files or [] if ".libs/" in str(path)}):
        yield file, library_licence(file, known)


def _install(groups: tuple[str, ...], python: str, place: Path) -> None:
    place.mkdir()
    requirements = place.with_suffix(".txt")
    requirements.write_text(exported(groups))
    subprocess.run(
        [
            *(_UV, "pip", "install", "--quiet", "--no-deps", "--require-hashes"),
            *("--python-version", python, "--python-platform", "x86_64-manylinux_2_36"),
            *("--target", str(place), "-r", str(requirements)),
        ],
        check=True,
    )


if __name__ == "__main__":
    sys.exit(main())
