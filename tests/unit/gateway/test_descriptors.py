"""How many connections are accepted under a limit of descriptors."""

import json
import subprocess
import sys

import pytest

_ASK = """
import json, logging, resource, sys
logging.basicConfig(level=logging.WARNING)
soft, hard, wanted = json.loads(sys.argv[1])
resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
from gateway.rpc.descriptors import most_connections
print(json.dumps([most_connections(wanted), resource.getrlimit(resource.RLIMIT_NOFILE)[0]]))
"""


def _ask(soft: int, hard: int, wanted: int) -> tuple[int, int, str]:
    run = subprocess.run(
        [sys.executable, "-c", _ASK, json.dumps([soft, hard, wanted])],
        check=True,
        capture_output=True,
        text=True,
        timeout=60,
    )
    allowed, limit = json.loads(run.stdout)
    return allowed, limit, run.stderr


@pytest.mark.parametrize(("soft", "hard"), [(256, 256), (128, 256)])
def test_fewer_connections_are_accepted_than_the_process_may_open_files(
    soft: int, hard: int
) -> None:
    allowed, limit, said = _ask(soft, hard, 1000)
    assert limit == 256
    # Half of the limit stays for decoding, workers and channels.
    assert 64 <= allowed <= 128
    assert f"{allowed} connections are accepted, not the 1000 of PACKSHOT_MAX_CONNECTIONS" in said


def test_the_soft_limit_is_raised_to_what_is_needed() -> None:
    allowed, limit, said = _ask(256, 4096, 1000)
    assert allowed == 1000
    assert 1128 <= limit < 1300
    assert not said
