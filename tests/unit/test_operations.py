"""The fault table names tests that exist."""

import re
from pathlib import Path


def test_every_test_that_the_fault_table_names_exists(root: Path) -> None:
    table = (root / "docs" / "operations.md").read_text()
    named = set(re.findall(r"`(test_\w+)`", table))
    written = {
        name
        for path in (root / "tests").rglob("test_*.py")
        for name in re.findall(r"^ *(?:async )?def (test_\w+)", path.read_text(), re.MULTILINE)
    }
    assert named
    assert named <= written, f"missing: {sorted(named - written)}"


def test_every_fault_has_its_test(root: Path) -> None:
    section = (root / "docs" / "operations.md").read_text().split("## Faults")[1].split("\n## ")[0]
    rows = [line for line in section.splitlines() if line.startswith("| ")][1:]
    assert rows
    for row in rows:
        assert re.search(r"`test_\w+` \|$", row), row
