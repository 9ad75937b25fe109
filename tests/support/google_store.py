"""A server on loopback that speaks Google Cloud Storage's JSON interface."""

import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path

import httpx

from processes.ready import free_ports
from processes.server import ServerProcess


@contextmanager
def google_store(folder: Path, bucket: str) -> Iterator[Mapping[str, str]]:
    """Run one with an empty bucket; give what leads gcsfs to it, as environment variables.

    Args:
        folder: For its log.
        bucket: The bucket's name.
    """
    (port,) = free_ports(1)
    url = f"http://127.0.0.1:{port}"
    command = [
        *(sys.executable, "-m", "gcp_storage_emulator", "start", "--host", "127.0.0.1"),
        *("--port", str(port), "--in-memory", "--default-bucket", bucket),
    ]

    def is_ready() -> bool:
        with suppress(httpx.HTTPError):
            return httpx.get(f"{url}/storage/v1/b").is_success
        return False

    with ServerProcess("gcp_storage_emulator", command, folder / "store.log", lenient=True) as each:
        each.wait_until(is_ready)
        yield {
            "STORAGE_EMULATOR_HOST": url,
            "FSSPEC_GS_TOKEN": "anon",
            # Else gcsfs asks Google over gRPC what kind of bucket it is.
            "GCSFS_EXPERIMENTAL_ZB_HNS_SUPPORT": "false",
        }
