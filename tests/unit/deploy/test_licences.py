"""The licences of what the images hold: all known, none the GPL's, and the lock's very packages."""

import re
import tomllib
from itertools import pairwise
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from tests.support.recipes import IMAGES, recipe
from tools import licences
from tools.licences import FOLDER, UNKNOWN, exported, library_licence

KNOWN = tomllib.loads((FOLDER / "known.toml").read_text())


def lines_of(image: str) -> list[str]:
    return (FOLDER / f"{image}.txt").read_text().splitlines()


def binds_by_gpl(licence: str) -> bool:
    alternatives = licence.split(" OR ")
    return all(
        re.search(r"(?<![A-Z])A?GPL-", each) and "WITH GCC-exception" not in each
        for each in alternatives
    )


@pytest.mark.parametrize("image", licences.IMAGES)
def test_every_licence_is_known(image: str) -> None:
    assert lines_of(image)
    assert [line for line in lines_of(image) if UNKNOWN in line] == []


@pytest.mark.parametrize("image", IMAGES)
def test_no_image_holds_code_that_the_gpl_binds(image: str) -> None:
    bound = [line for line in lines_of(image) if binds_by_gpl(line.partition(": ")[2])]
    assert bound == []


def test_heic_s_decoder_is_what_would_bring_it() -> None:
    bound = [line for line in lines_of("heif") if binds_by_gpl(line.partition(": ")[2])]
    assert len(bound) == 1
    assert "libx265" in bound[0]


@pytest.mark.parametrize(
    ("licence", "binds"),
    [
        ("GPL-2.0-or-later", True),
        ("AGPL-3.0-only", True),
        ("MIT AND GPL-3.0-only", True),
        ("LGPL-3.0-only", False),
        ("LGPL-3.0-or-later OR GPL-2.0-or-later", False),
        ("GPL-3.0-or-later WITH GCC-exception-3.1", False),
        ("MIT", False),
    ],
)
def test_what_binds_is_told_from_what_does_not(licence: str, *, binds: bool) -> None:
    assert binds_by_gpl(licence) == binds


@pytest.mark.parametrize("image", licences.IMAGES)
def test_the_list_is_of_what_the_lock_installs(image: str) -> None:
    python, sets = licences.IMAGES[image]
    place = {
        "python_version": python,
        "python_full_version": f"{python}.0",
        "sys_platform": "linux",
        "platform_machine": "x86_64",
        "platform_python_implementation": "CPython",
    }
    wanted = {
        f"{canonicalize_name(each.name)} {str(each.specifier).removeprefix('==')}"
        for groups in sets
        for line in re.findall(r"^[a-z0-9][^\\\n]*", exported(groups), re.MULTILINE)
        for each in [Requirement(line)]
        if each.marker is None or each.marker.evaluate(place)
    }
    found = {
        f"{canonicalize_name(name)} {version}"
        for line in lines_of(image)
        if not line.startswith(" ")
        for name, version in [line.partition(": ")[0].split(" ")]
    }
    assert found == wanted, "run make licences"


@pytest.mark.parametrize("image", IMAGES)
def test_the_groups_are_those_that_the_image_installs(image: str) -> None:
    text = Path(f"deploy/images/{image}.Dockerfile").read_text()
    installed = set(re.findall(r"--(?:only-)?group ([a-z-]+)", text))
    listed = {
        name
        for groups in licences.IMAGES[image][1]
        for flag, name in pairwise(groups)
        if flag in ("--group", "--only-group")
    }
    assert listed == installed
    assert recipe(image).of("ENTRYPOINT")


@pytest.mark.parametrize(
    ("file", "licence"),
    [
        ("libcrypto-5409cd36.so.1.1.1k", "OpenSSL"),
        ("libcrypto-3a0647ea.so.3", "Apache-2.0"),
        ("libldap-2-858af7e7.5.so.0.1.13", "OLDAP-2.8"),
        ("libpython3-419a3a08.13.so.1.0", "PSF-2.0"),
        ("libscipy_openblas64_-4b78795a.so", "BSD-3-Clause"),
        ("libp11-kit-d2b01eaa.so.0.3.0", "BSD-3-Clause"),
        ("libgfortran-040039e1-0352e75f.so.5.0.0", "GPL-3.0-or-later WITH GCC-exception-3.1"),
        ("libnobody-00000000.so.1", UNKNOWN),
    ],
)
def test_a_library_is_known_by_its_file_s_name(file: str, licence: str) -> None:
    assert library_licence(file, KNOWN) == licence
