"""The supervisor's threads, with watches that only count."""

import threading
import time

import pytest

from serving.errors import TritonApiError
from serving.supervisor import Supervisor
from tests.support.waiting import wait_until


class CountingWatch:
    def __init__(self, *, fails: bool = False) -> None:
        self.looks = 0
        self._fails = fails

    def look(self) -> None:
        self.looks += 1
        if self._fails:
            raise RuntimeError("unforeseen")


def test_models_are_watched_from_when_they_are_loaded_until_the_end() -> None:
    loaded = ["matte"]
    watches: dict[str, CountingWatch] = {}

    def make(model: str) -> CountingWatch:
        watches[model] = CountingWatch()
        return watches[model]

    supervisor = Supervisor(lambda: list(loaded), make, lambda: False, interval_s=0.01)
    supervisor.start()
    wait_until(lambda: "matte" in watches and watches["matte"].looks > 2, 5)
    loaded.append("light")
    wait_until(lambda: "light" in watches and watches["light"].looks > 2, 5)
    supervisor.stop()
    wait_until(lambda: not any(t.name.startswith("watch-") for t in threading.enumerate()), 5)


def test_a_watch_outlives_an_unforeseen_failure(caplog: pytest.LogCaptureFixture) -> None:
    watch = CountingWatch(fails=True)
    supervisor = Supervisor(lambda: ["matte"], lambda _: watch, lambda: False, interval_s=0.01)
    supervisor.start()
    wait_until(lambda: watch.looks > 2, 5)
    supervisor.stop()
    assert "watching 'matte' failed" in caplog.text


def test_a_triton_that_does_not_answer_is_asked_again() -> None:
    answers: list[list[str] | None] = [None, None, ["matte"]]
    watch = CountingWatch()

    def models() -> list[str]:
        answer = answers.pop(0) if len(answers) > 1 else answers[0]
        if answer is None:
            raise TritonApiError("away")
        return answer

    supervisor = Supervisor(models, lambda _: watch, lambda: False, interval_s=0.01)
    supervisor.start()
    wait_until(lambda: watch.looks > 0, 5)
    supervisor.stop()


def test_nothing_is_judged_any_more_once_a_stop_was_asked_for() -> None:
    asked = threading.Event()
    watch = CountingWatch()
    Supervisor(lambda: ["matte"], lambda _: watch, asked.is_set, interval_s=0.01).start()
    wait_until(lambda: watch.looks > 0, 5)
    asked.set()
    wait_until(lambda: not any(t.name.startswith("watch-") for t in threading.enumerate()), 5)
    looks = watch.looks
    time.sleep(0.05)
    assert watch.looks == looks
