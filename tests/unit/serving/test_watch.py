"""When a model is left alone, when it is probed and when it is replaced."""

import itertools
from dataclasses import dataclass, field
from typing import cast

import psutil
import pytest

from serving.client import Answer, Probe
from serving.errors import TritonApiError
from serving.stubs import Stub
from serving.watch import ModelWatch

PROBE_S, HANG_S = 5.0, 30.0


@dataclass(frozen=True)
class GoneProcess:
    """Stands for a process that has ended."""

    pid: int

    def is_running(self) -> bool:
        return False

    def kill(self) -> None:
        raise psutil.NoSuchProcess(self.pid)


def gone_stub(pid: int) -> Stub:
    return Stub(cast("psutil.Process", GoneProcess(pid)), "matte")


@dataclass
class FakeTriton:
    """A model with one stub, on a clock that only calls move."""

    now_s: float = 1000.0
    loaded: bool = True
    successes_count: int = 0
    stubs: set[Stub] = field(default_factory=lambda: {gone_stub(1)})
    instance_count: int = 1
    answer: Answer = Answer.ANSWERED
    exact: bool = True
    # What other callers get while a probe waits.
    successes_meanwhile: int = 0
    load_error: str = ""
    calls: list[str] = field(default_factory=list)
    deaths: int = 0

    def successes(self, model: str) -> int:
        if not self.loaded:
            raise TritonApiError(f"{model} is not available")
        return self.successes_count

    def instances(self, _model: str) -> int:
        return self.instance_count

    def probe_of(self, _model: str) -> Probe:
        return Probe({}, self.exact)

    def infer(self, _model: str, _probe: Probe, timeout_s: float) -> tuple[Answer, str]:
        self.calls.append("probe")
        self.successes_count += self.successes_meanwhile
        if self.answer is Answer.LATE:
            self.now_s += timeout_s
        return self.answer, "Stub process 'matte_0' is not healthy."

    def unload(self, _model: str, timeout_s: float) -> None:
        assert timeout_s > 0
        self.calls.append("unload")

    def load(self, _model: str, timeout_s: float) -> None:
        assert timeout_s > 0
        self.calls.append("load")
        if self.load_error:
            raise TritonApiError(self.load_error)
        self.now_s += 2
        self.stubs = {gone_stub(len(self.calls) + 100)}
        self.successes_count, self.answer = 0, Answer.ANSWERED

    def note_death(self) -> None:
        self.deaths += 1


@pytest.fixture
def triton() -> FakeTriton:
    return FakeTriton()


@pytest.fixture
def watch(triton: FakeTriton) -> ModelWatch:
    return ModelWatch(
        "matte",
        triton,
        list_stubs=lambda _: frozenset(triton.stubs),
        on_dead_stub=triton.note_death,
        probe_interval_s=PROBE_S,
        hang_timeout_s=HANG_S,
        clock=lambda: triton.now_s,
    )


def looks(watch: ModelWatch, triton: FakeTriton, count: int) -> None:
    for _ in range(count):
        watch.look()
        triton.now_s += 1


def test_a_model_that_answers_its_callers_is_never_probed(
    watch: ModelWatch, triton: FakeTriton
) -> None:
    for _ in range(60):
        triton.successes_count += 1
        looks(watch, triton, 1)
    assert triton.calls == []


def test_an_idle_model_is_probed_now_and_then(watch: ModelWatch, triton: FakeTriton) -> None:
    looks(watch, triton, 21)
    assert triton.calls == ["probe"] * 4


def test_a_lost_stub_has_its_model_replaced_at_the_next_look(
    watch: ModelWatch, triton: FakeTriton
) -> None:
    looks(watch, triton, 2)
    triton.stubs = set()
    looks(watch, triton, 1)
    assert triton.calls == ["unload", "load"]
    assert triton.deaths == 1
    looks(watch, triton, 1)
    assert triton.calls[2:] == ["probe"], "the new model has to prove itself"


def test_a_lost_stub_among_several_counts(watch: ModelWatch, triton: FakeTriton) -> None:
    triton.instance_count = 2
    triton.stubs.add(gone_stub(2))
    looks(watch, triton, 2)
    triton.stubs.pop()
    triton.successes_count += 1
    looks(watch, triton, 1)
    assert triton.calls == ["unload", "load"]


@pytest.mark.parametrize("remaining", [1, 2], ids=["it failed", "it succeeded"])
def test_a_model_that_somebody_loads_anew_is_left_alone(
    watch: ModelWatch, triton: FakeTriton, remaining: int
) -> None:
    """While it is loaded there are stubs of both; then those of one, be it the old or the new."""
    looks(watch, triton, 2)
    triton.stubs.add(gone_stub(2))
    looks(watch, triton, 1)
    triton.stubs = {gone_stub(remaining)}
    looks(watch, triton, 2)
    assert "unload" not in triton.calls


def test_a_dead_stub_is_told_by_the_probes_answer(watch: ModelWatch, triton: FakeTriton) -> None:
    triton.answer = Answer.DEAD
    looks(watch, triton, 7)
    assert triton.calls[:3] == ["probe", "unload", "load"]


def test_a_model_that_answers_nobody_is_replaced(watch: ModelWatch, triton: FakeTriton) -> None:
    triton.answer = Answer.LATE
    looks(watch, triton, 7)
    assert triton.calls[:3] == ["probe", "unload", "load"]


def test_a_saturated_model_is_left_alone(watch: ModelWatch, triton: FakeTriton) -> None:
    """Probes are late, but others get their answers meanwhile."""
    triton.answer = Answer.LATE
    triton.successes_meanwhile = 3
    looks(watch, triton, 60)
    assert set(triton.calls) == {"probe"}


def test_a_model_that_fails_on_a_valid_probe_again_and_again_is_replaced(
    watch: ModelWatch, triton: FakeTriton
) -> None:
    triton.answer = Answer.REFUSED
    looks(watch, triton, 9)
    assert triton.calls[:5] == ["probe", "probe", "probe", "unload", "load"]


def test_the_error_of_a_guessed_probe_is_an_answer(watch: ModelWatch, triton: FakeTriton) -> None:
    triton.answer, triton.exact = Answer.REFUSED, False
    looks(watch, triton, 60)
    assert set(triton.calls) == {"probe"}


def test_a_model_that_an_operator_unloaded_stays_unloaded(
    watch: ModelWatch, triton: FakeTriton
) -> None:
    looks(watch, triton, 2)
    triton.loaded, triton.stubs = False, set()
    looks(watch, triton, 20)
    assert triton.calls == []
    triton.loaded, triton.stubs = True, {gone_stub(9)}
    looks(watch, triton, 2)
    assert "unload" not in triton.calls


def test_a_model_that_an_operator_loaded_anew_is_not_taken_for_dead(
    watch: ModelWatch, triton: FakeTriton
) -> None:
    looks(watch, triton, 2)
    triton.stubs = {gone_stub(9)}
    triton.successes_count = 0
    looks(watch, triton, 2)
    assert triton.calls == []


def test_a_server_that_is_away_is_not_mended(watch: ModelWatch, triton: FakeTriton) -> None:
    triton.answer = Answer.AWAY
    looks(watch, triton, 20)
    assert set(triton.calls) == {"probe"}


def test_loading_that_fails_is_tried_again_ever_more_rarely(
    watch: ModelWatch, triton: FakeTriton
) -> None:
    looks(watch, triton, 1)
    triton.stubs, triton.load_error = set(), "no memory"
    attempts = []
    for _ in range(100):
        before = triton.calls.count("load")
        looks(watch, triton, 1)
        if triton.calls.count("load") > before:
            attempts.append(triton.now_s)
    gaps = [later - earlier for earlier, later in itertools.pairwise(attempts)]
    assert gaps[:5] == [1, 2, 4, 8, 16]
    assert max(gaps) <= 31
    triton.load_error = ""
    looks(watch, triton, 31)
    triton.calls.clear()
    looks(watch, triton, 20)
    assert "load" not in triton.calls


def test_a_model_that_keeps_dying_is_replaced_ever_more_rarely(
    watch: ModelWatch, triton: FakeTriton
) -> None:
    looks(watch, triton, 1)
    for _ in range(100):
        triton.stubs = set()
        looks(watch, triton, 1)
    assert 5 <= triton.calls.count("load") <= 9


def test_a_model_that_has_been_well_for_long_is_replaced_at_once_again(
    watch: ModelWatch, triton: FakeTriton
) -> None:
    looks(watch, triton, 1)
    for _ in range(3):
        triton.stubs = set()
        looks(watch, triton, 20)
    looks(watch, triton, 60)
    triton.calls.clear()
    triton.stubs = set()
    looks(watch, triton, 1)
    assert triton.calls == ["unload", "load"]
