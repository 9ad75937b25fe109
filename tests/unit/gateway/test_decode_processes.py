"""Decoding in processes: the same photos, and whatever one does to its worker stays there."""

import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import psutil
import pytest
from PIL import Image

from gateway.app import Gateway
from gateway.config import GatewayConfig
from gateway.rendering.decoding.processes import ProcessDecoder
from imaging.decode.decoder import ThreadDecoder
from imaging.decode.limits import PhotoLimits
from imaging.errors import InvalidPhotoError, PhotoLimitError
from packshot import AsyncClient, BackgroundPicture
from tests.support import claims
from tests.support.decoding import decode_at_once
from tests.support.fake_inference import FakeInferenceServer
from tests.support.pictures import encode, encode_image, product_photo
from tests.support.waiting import wait_until

LIMITS = PhotoLimits()
PHOTO = encode(product_photo(), "JPEG")


class Pool:
    """A decoder with the workers that it lost, and those that it has."""

    def __init__(
        self, workers: int = 1, timeout_s: float = 10, limits: PhotoLimits = LIMITS
    ) -> None:
        self.lost = 0
        before = set(psutil.Process().children())
        self.decoder = ProcessDecoder(workers, timeout_s, limits, self._lose)
        self.decoder.start()
        wait_until(lambda: len(self.decoder.pids()) == workers and not self.decoder.hindrance())
        self.workers = [child for child in psutil.Process().children() if child not in before]

    def _lose(self) -> None:
        self.lost += 1


@pytest.fixture
def pool() -> Iterator[Pool]:
    pool = Pool()
    yield pool
    pool.decoder.close()


def test_gives_the_same_photos_as_threads(pool: Pool) -> None:
    exif = Image.Exif()
    exif[0x0112], exif[0x010F] = 6, "A maker"
    clear = Image.fromarray(product_photo())
    clear.putalpha(100)
    files = [PHOTO, encode_image(clear, "PNG", exif=exif)]
    files += [encode_image(Image.fromarray(product_photo()).convert("CMYK"), "JPEG")]
    for file in files:
        here = decode_at_once(ThreadDecoder(), file, LIMITS, keep_metadata=True)
        there = decode_at_once(pool.decoder, file, LIMITS, keep_metadata=True)
        assert np.array_equal(here.rgb, there.rgb)
        assert (here.alpha is None) == (there.alpha is None)
        if here.alpha is not None and there.alpha is not None:
            assert np.array_equal(here.alpha, there.alpha)
        assert (here.metadata, here.notes) == (there.metadata, there.notes)


def test_gives_the_same_previews_as_threads(pool: Pool) -> None:
    large = encode(np.tile(product_photo(), (8, 8, 1)), "JPEG")
    for file, has_one in ((large, True), (encode(product_photo(), "PNG"), False)):
        with ThreadDecoder().open(file, LIMITS) as here, pool.decoder.open(file, LIMITS) as there:
            previews = here.preview(200, 200), there.preview(200, 200)
            assert not here.is_previewed(200, 200)
            assert not there.is_previewed(200, 200)
            assert [each is not None for each in previews] == [has_one] * 2
            if previews[0] and previews[1]:
                assert previews[0].width_px < here.width_px
                assert np.array_equal(previews[0].rgb, previews[1].rgb)


def test_gives_the_same_errors_as_threads(pool: Pool) -> None:
    with pytest.raises(InvalidPhotoError, match="not a picture"):
        decode_at_once(pool.decoder, b"rubbish", LIMITS)
    with pytest.raises(InvalidPhotoError, match="empty"):
        decode_at_once(pool.decoder, b"", LIMITS)
    with pytest.raises(PhotoLimitError, match="64000000") as caught:
        decode_at_once(pool.decoder, claims.claiming_jpeg(65_535, 65_535), LIMITS)
    assert caught.value.figures["limit_pixels"] == "64000000"
    assert pool.lost == 0


def _crash(worker: psutil.Process) -> None:
    worker.send_signal(signal.SIGSEGV)
    worker.resume()


def _crash_at_work(worker: psutil.Process) -> None:
    """Crash a worker while it decodes, which its processor time tells."""
    idle_s = worker.cpu_times().user
    while worker.cpu_times().user < idle_s + 0.05:
        time.sleep(0.001)
    worker.send_signal(signal.SIGSEGV)


def test_a_photo_that_crashes_its_worker_is_refused_and_the_next_one_is_fine(pool: Pool) -> None:
    decode_at_once(pool.decoder, PHOTO, LIMITS)
    noise = Image.effect_noise((6000, 6000), 90).convert("RGB")
    large = encode_image(noise, "PNG", compress_level=1)
    with pool.decoder.open(large, PhotoLimits(max_bytes=len(large))) as opened:
        crash = threading.Thread(target=_crash_at_work, args=[pool.workers[0]])
        crash.start()
        with pytest.raises(InvalidPhotoError, match=r"made its decoder fail: by SIGSEGV"):
            opened.decode()
        crash.join()
    assert pool.lost == 1
    assert decode_at_once(pool.decoder, PHOTO, LIMITS).rgb.shape == (90, 120, 3)


def _stop(worker: psutil.Process) -> None:
    """Stop a worker; one that was only told to could still read what comes next."""
    worker.suspend()
    wait_until(lambda: worker.status() == psutil.STATUS_STOPPED)


def test_a_worker_that_dies_before_it_reads_a_photo_costs_no_photo(pool: Pool) -> None:
    worker = pool.workers[0]
    decode_at_once(pool.decoder, PHOTO, LIMITS)
    _stop(worker)  # so that the photo stays unread until it dies
    crash = threading.Timer(0.2, _crash, [worker])
    crash.start()
    assert decode_at_once(pool.decoder, PHOTO, LIMITS).rgb.shape == (90, 120, 3)
    crash.join()
    assert pool.lost == 1


def test_a_worker_killed_while_idle_costs_no_photo(pool: Pool) -> None:
    decode_at_once(pool.decoder, PHOTO, LIMITS)
    pool.workers[0].kill()
    psutil.wait_procs(pool.workers, 5)
    assert decode_at_once(pool.decoder, PHOTO, LIMITS).rgb.shape == (90, 120, 3)
    assert pool.lost == 1


def test_a_photo_over_its_time_is_refused_and_its_worker_killed() -> None:
    pool = Pool(timeout_s=0.3)
    decode_at_once(pool.decoder, PHOTO, LIMITS)
    _stop(pool.workers[0])
    with pytest.raises(InvalidPhotoError, match=r"could not be decoded within 0.3 s") as caught:
        decode_at_once(pool.decoder, PHOTO, LIMITS)
    assert caught.value.figures == {"limit_s": "0.3"}
    assert not pool.workers[0].is_running()
    assert pool.lost == 1
    assert decode_at_once(pool.decoder, PHOTO, LIMITS).rgb.shape == (90, 120, 3)
    pool.decoder.close()


def test_a_photo_over_its_memory_is_refused_and_its_worker_lives_on() -> None:
    pool = Pool(limits=PhotoLimits(max_bytes=1000, max_pixels=1000))
    large = encode(np.zeros((9000, 9000, 3), np.uint8), "PNG", compress_level=1)
    with pytest.raises(PhotoLimitError, match=r"more memory to decode than the limit of \d+ bytes"):
        decode_at_once(pool.decoder, large, PhotoLimits(max_pixels=100_000_000))
    assert decode_at_once(pool.decoder, PHOTO, LIMITS).rgb.shape == (90, 120, 3)
    assert pool.lost == 0
    pool.decoder.close()


def test_leaves_no_descriptor_and_no_process_behind() -> None:
    me = psutil.Process()
    before = me.num_fds()
    pool = Pool(workers=2)
    photos = [decode_at_once(pool.decoder, PHOTO, LIMITS) for _ in range(8)]
    assert len(pool.workers) == 2
    pool.workers[0].kill()
    psutil.wait_procs(pool.workers[:1], 5)
    photos += [decode_at_once(pool.decoder, PHOTO, LIMITS) for _ in range(4)]
    pool.decoder.close()
    del photos
    assert me.num_fds() == before
    assert not [child for child in me.children() if child in pool.workers]


def test_the_pixels_can_be_written_on(pool: Pool) -> None:
    """A background is: what lies over it is painted onto it."""
    clear = Image.fromarray(product_photo())
    clear.putalpha(100)
    photo = decode_at_once(pool.decoder, encode_image(clear), LIMITS)
    photo.rgb[0] = 7
    assert photo.rgb[0].max() == 7
    assert photo.alpha is not None
    assert photo.alpha.min() == 100


PARENT = """
import sys
from gateway.rendering.decoding.processes import ProcessDecoder
from imaging.decode.limits import PhotoLimits
decoder = ProcessDecoder(2, 10, PhotoLimits(), lambda: None)
decoder.start()
with decoder.open(open(sys.argv[1], "rb").read(), PhotoLimits()) as opened:
    opened.decode()
print("ready", flush=True)
sys.stdin.read()
"""


def test_workers_end_with_a_gateway_that_is_killed(root: Path, tmp_path: Path) -> None:
    (tmp_path / "photo.jpg").write_bytes(PHOTO)
    parent = subprocess.Popen(
        [sys.executable, "-c", PARENT, str(tmp_path / "photo.jpg")],
        cwd=root,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    )
    with parent:
        assert parent.stdout is not None
        assert parent.stdout.readline() == b"ready\n"
        workers = psutil.Process(parent.pid).children()
        assert len(workers) == 2
        parent.kill()
    _, alive = psutil.wait_procs(workers, 5)
    assert not alive


def test_workers_see_none_of_the_gateway_s_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PACKSHOT_SECRET", "1")
    pool = Pool()
    decode_at_once(pool.decoder, PHOTO, LIMITS)
    assert set(pool.workers[0].environ()) <= {"PYTHONPATH", "LD_LIBRARY_PATH", "LC_CTYPE"}
    pool.decoder.close()


async def test_a_gateway_decodes_photo_and_background_in_processes(
    inference: FakeInferenceServer,
) -> None:
    gateway = Gateway(
        GatewayConfig(port=0, metrics_port=0, cpu_threads=2, decode_workers=2), inference
    )
    before = set(psutil.Process().children())
    await gateway.start()
    async with AsyncClient(f"127.0.0.1:{gateway.port}", timeout_s=10, retries=False) as client:
        packshot = await client.render(PHOTO, background=BackgroundPicture(PHOTO))
        assert (packshot.width_px, packshot.height_px) == (120, 90)
        for worker in set(psutil.Process().children()) - before:
            worker.kill()
            worker.wait(5)
        assert (await client.render(PHOTO)).width_px == 120
    start_s = time.monotonic()
    await gateway.stop()
    assert time.monotonic() - start_s < 5
