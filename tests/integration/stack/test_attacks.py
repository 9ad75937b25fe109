"""`make attack` in short: one attack of each sort that a test of its own does not run, judged."""

from pathlib import Path

import pytest

from tests.attack.bout import SETUPS, fight
from tests.integration.processes import ROOT, Triton


def test_every_attack_has_its_setup() -> None:
    modules = {path.stem for path in (ROOT / "tests" / "attack").glob("*.py")}
    attacks = {
        name
        for name in modules - {"__init__", "__main__"}
        if "\ndef attack(" in (ROOT / "tests" / "attack" / f"{name}.py").read_text()
    }
    assert attacks == set(SETUPS)


@pytest.mark.parametrize("attack", ["descriptors", "header_bombs"])
def test_the_service_holds(attack: str, triton: Triton, tmp_path: Path) -> None:
    bout = fight(attack, triton, tmp_path, seconds=5)
    print(bout)
    assert not bout.faults
