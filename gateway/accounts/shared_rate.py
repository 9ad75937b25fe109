"""Rate limits of several processes: the token buckets lie in a file that all of them map.

The file is a table. A key's hash names a row of buckets; the key has one of them, or takes that of
the row's key that has not called for longest. A row is locked for the time of a call. Whoever does
not get the lock in time goes on without it: then two processes may hand out the same token, and no
process ever waits for one that was stopped.
"""

import fcntl
import hashlib
import mmap
import os
import struct
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from gateway.accounts.rate import Bucket, RateLimit

_ROWS: Final = 2**14
_IN_A_ROW: Final = 8
# A key's hash, its tokens, and when they were counted.
_BUCKET: Final = struct.Struct("16sdd")
_ROW_BYTES: Final = _IN_A_ROW * _BUCKET.size
_LOCK_S: Final = 0.02


class SharedRateLimiter:
    """Counts the calls of each key in several processes together; for one thread of each.

    Args:
        path: The file, the same for all; made if missing. It takes 4 MiB.
        clock: Seconds that only rise, the same for all.

    Raises:
        OSError: The file cannot be made.
    """

    def __init__(self, path: Path, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        os.ftruncate(self._descriptor, _ROWS * _ROW_BYTES)
        self._table = mmap.mmap(self._descriptor, _ROWS * _ROW_BYTES)

    def take(self, key_id: str, limit: RateLimit) -> float:
        """Take one token of a key's bucket, or say when there will be one; as in `Rates`."""
        if not limit.per_s:
            return 0.0
        key = hashlib.blake2b(key_id.encode(), digest_size=16).digest()
        row = int.from_bytes(key[:4]) % _ROWS * _ROW_BYTES
        with self._locked(row):
            now_s = self._clock()
            rows = list(_BUCKET.iter_unpack(self._table[row : row + _ROW_BYTES]))
            place = next((n for n, (theirs, *_) in enumerate(rows) if theirs == key), None)
            if place is None:
                # One that has never been used was counted at 0 s.
                place = min(range(_IN_A_ROW), key=lambda n: rows[n][2])
                bucket = Bucket(limit.burst, now_s)
            else:
                bucket = Bucket(*rows[place][1:])
            wait_s = bucket.take(limit, now_s)
            at = row + place * _BUCKET.size
            _BUCKET.pack_into(self._table, at, key, bucket.tokens, bucket.filled_s)
        return wait_s

    def close(self) -> None:
        """Let go of the file."""
        self._table.close()
        os.close(self._descriptor)

    @contextmanager
    def _locked(self, row: int) -> Iterator[None]:
        give_up_s = time.monotonic() + _LOCK_S
        while not (locked := self._lock(row)) and time.monotonic() < give_up_s:
            time.sleep(0)
        try:
            yield
        finally:
            if locked:
                fcntl.lockf(self._descriptor, fcntl.LOCK_UN, _ROW_BYTES, row)

    def _lock(self, row: int) -> bool:
        try:
            fcntl.lockf(self._descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB, _ROW_BYTES, row)
        except BlockingIOError:
            return False
        return True
