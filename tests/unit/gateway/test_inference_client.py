"""Circuits before models, second attempts on a budget, and the targets of several Tritons."""

import asyncio
from typing import Literal

import numpy as np
import pytest

from gateway.admission.priority import Priority
from gateway.errors import DeadlineError, InferenceFailedError, InferenceUnavailableError
from gateway.inference.answer_times import AnswerTimes
from gateway.inference.channel import channel_target, is_sole, single_addresses
from gateway.inference.circuits import Circuits
from gateway.inference.client import InferenceClient
from gateway.inference.readiness import ReadinessWatch
from gateway.inference.retries import ATTEMPTS, Retries
from gateway.inference.server import Matte, MattingModel
from imaging.errors import ReasonedError
from imaging.types import Pixels
from tests.support.fake_inference import FakeInferenceServer, client_of

PHOTO = np.zeros((1, 48, 64, 3), np.uint8)
AWAY = InferenceUnavailableError("away")


class Scripted(FakeInferenceServer):
    """Counts its inferences, and fails the first so many."""

    def __init__(self, failures: int = 0, error: ReasonedError = AWAY) -> None:
        super().__init__()
        self.asked = 0
        self._failures = failures
        self._first_error = error

    async def infer(
        self,
        model: MattingModel,
        photo: Pixels,
        timeout_s: float,
        priority: Priority = Priority.INTERACTIVE,
    ) -> Matte:
        self.asked += 1
        if self.asked <= self._failures:
            raise self._first_error
        return await super().infer(model, photo, timeout_s, priority)


@pytest.fixture
def changes() -> list[tuple[str, bool]]:
    return []


@pytest.fixture
def answers() -> AnswerTimes:
    return AnswerTimes()


@pytest.fixture
def client(
    inference: FakeInferenceServer, changes: list[tuple[str, bool]], answers: AnswerTimes
) -> InferenceClient:
    """A client that never sends a request again."""
    circuits = Circuits(3, lambda model, is_open: changes.append((model, is_open)), answers)
    never = Retries(0, 0, lambda _allowed: None, attempts=1)
    return InferenceClient(inference, circuits, never, answers)


async def fail(client: InferenceClient, model: MattingModel, times: int) -> None:
    for _ in range(times):
        with pytest.raises(ReasonedError):
            await client.infer(model, PHOTO, 1)


async def test_a_circuit_opens_after_failures_in_a_row_and_only_a_probe_closes_it(
    client: InferenceClient, inference: FakeInferenceServer, changes: list[tuple[str, bool]]
) -> None:
    model = await client.model("matte", 1)
    inference.error = AWAY
    await fail(client, model, 2)
    inference.error = None
    await client.infer(model, PHOTO, 1)
    inference.error = AWAY
    await fail(client, model, 3)
    assert changes == [("matte", True)]
    inference.error = None
    with pytest.raises(InferenceUnavailableError, match="'matte' does not answer"):
        await client.model("matte", 1)
    await fail(client, model, 1)
    await client.probe("matte", 1)
    assert changes == [("matte", True), ("matte", False)]
    await client.infer(model, PHOTO, 1)


async def test_a_failed_probe_opens_the_circuit_at_once(
    client: InferenceClient, inference: FakeInferenceServer
) -> None:
    inference.error = DeadlineError("late")
    with pytest.raises(DeadlineError):
        await client.probe("matte", 1)
    assert client.circuits.open_models == {"matte"}


async def test_errors_of_the_model_and_short_deadlines_open_no_circuit(
    client: InferenceClient, inference: FakeInferenceServer
) -> None:
    model = await client.model("matte", 1)
    for error in (InferenceFailedError("its own"), DeadlineError("too short")):
        inference.error = error
        await fail(client, model, 5)
    assert client.circuits.open_models == frozenset()


async def test_deadlines_that_were_waited_for_open_the_circuit(
    client: InferenceClient, inference: FakeInferenceServer
) -> None:
    model = await client.model("matte", 1)
    await client.infer(model, PHOTO, 1)  # its pace is known, and it is not slow
    inference.error, inference.delay_s = DeadlineError("late"), 0.6
    await asyncio.gather(*(fail(client, model, 1) for _ in range(3)))
    assert client.circuits.open_models == {"matte"}


async def probed(client: InferenceClient, inference: FakeInferenceServer, pulses: int) -> None:
    """Probe a model that does not answer until it was asked so often for a sign of life."""
    inference.delay_s = 3600
    before = inference.pulses
    probe = asyncio.create_task(client.probe("matte", 0.01))
    async with asyncio.timeout(10):
        while inference.pulses < before + pulses and not probe.done():
            await asyncio.sleep(0.005)
    assert not probe.done()
    probe.cancel()
    await asyncio.gather(probe, return_exceptions=True)


async def test_a_slow_model_is_waited_for_while_triton_shows_life(
    client: InferenceClient, inference: FakeInferenceServer, answers: AnswerTimes
) -> None:
    await probed(client, inference, pulses=5)  # nothing is known of it yet
    answers.observe("matte", 2.0)
    await probed(client, inference, pulses=5)
    assert client.circuits.open_models == frozenset()


async def test_a_model_without_a_pass_in_many_times_its_pace_is_away(
    client: InferenceClient, inference: FakeInferenceServer, answers: AnswerTimes
) -> None:
    answers.observe("matte", 0.02)
    inference.delay_s = 3600
    with pytest.raises(DeadlineError, match="no pass of the model"):
        await client.probe("matte", 0.01)
    assert client.circuits.open_models == {"matte"}
    assert inference.cancelled == 1


async def test_a_triton_without_a_sign_of_life_is_away_however_slow_its_model_is(
    client: InferenceClient, inference: FakeInferenceServer, answers: AnswerTimes
) -> None:
    answers.observe("matte", 20.0)
    inference.delay_s, inference.away = 3600, True
    with pytest.raises(DeadlineError, match="no sign of life"):
        await client.probe("matte", 0.01)
    assert client.circuits.open_models == {"matte"}


async def test_a_probe_ends_when_the_model_answers_somebody_else(
    client: InferenceClient, inference: FakeInferenceServer
) -> None:
    model = await client.model("matte", 1)
    inference.delay_s = 3600
    probe = asyncio.create_task(client.probe("matte", 0.01))
    async with asyncio.timeout(10):
        while not inference.pulses:
            await asyncio.sleep(0.005)
        inference.delay_s = 0
        await client.infer(model, PHOTO, 1)
        await probe
    assert client.circuits.open_models == frozenset()


async def test_deadlines_short_of_a_slow_model_s_pace_open_no_circuit(
    client: InferenceClient, inference: FakeInferenceServer, answers: AnswerTimes
) -> None:
    model = await client.model("matte", 1)
    answers.observe("matte", 2.0)
    inference.error, inference.delay_s = DeadlineError("late"), 0.6
    await asyncio.gather(*(fail(client, model, 1) for _ in range(5)))
    assert client.circuits.open_models == frozenset()


def test_a_model_s_pace_is_the_least_of_late_and_follows_it_up() -> None:
    answers = AnswerTimes()
    assert answers.silence_limit_s("matte", 3) > 30
    answers.assume("matte", 2.0)
    assert (answers.pass_s("matte"), answers.silence_limit_s("matte", 3)) == (2.0, 12.0)
    answers.observe("matte", 0.1)
    assert (answers.pass_s("matte"), answers.silence_limit_s("matte", 3)) == (0.1, 3)
    for _ in range(20):
        answers.observe("matte", 1.0)
    assert answers.pass_s("matte") == pytest.approx(1.0, abs=0.01)
    answers.assume("matte", 9.0)
    assert answers.pass_s("matte") < 1.1
    answers.observe("matte", 1e4)
    assert answers.silence_limit_s("matte", 3) == 120


async def test_names_that_callers_make_up_get_no_circuit(client: InferenceClient) -> None:
    for number in range(5):
        with pytest.raises(ReasonedError):
            await client.model(f"made-up-{number}", 1)
        with pytest.raises(ReasonedError):
            await client.probe(f"made-up-{number}", 1)
    assert client.circuits.open_models == frozenset()


async def test_the_watch_closes_the_circuits_of_other_models_too(
    client: InferenceClient, inference: FakeInferenceServer
) -> None:
    inference.known.append(MattingModel("other", "1", 64, 48))
    other = await client.model("other", 1)
    inference.error = AWAY
    await fail(client, other, 3)

    async def report(_ready: bool) -> None:  # noqa: FBT001  the watch's own signature
        """Nobody asks."""

    watch = asyncio.create_task(ReadinessWatch(client, "matte", 0.05, 1, report).run())
    async with asyncio.timeout(5):
        while client.circuits.open_models != {"matte", "other"}:
            await asyncio.sleep(0.02)
    inference.error = None
    async with asyncio.timeout(5):
        while client.circuits.open_models:
            await asyncio.sleep(0.02)
    watch.cancel()


async def test_a_gateway_that_cannot_decode_is_not_ready_while_a_probe_waits(
    client: InferenceClient, inference: FakeInferenceServer
) -> None:
    states, hindrance = list[bool](), ""

    async def report(ready: bool) -> None:  # noqa: FBT001  the watch's own signature
        states.append(ready)

    watch = ReadinessWatch(client, "matte", 0.05, 60, report, lambda: hindrance)
    running = asyncio.create_task(watch.run())
    async with asyncio.timeout(5):
        while states != [True]:
            await asyncio.sleep(0.02)
    inference.delay_s, asked = 60, len(inference.seen)
    hindrance = "no decode worker is ready"
    watch.probe_now()
    async with asyncio.timeout(5):
        while states != [True, False]:
            await asyncio.sleep(0.02)
    assert len(inference.seen) == asked
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)


class Awaited(asyncio.Event):
    """An event that tells when somebody waits for it."""

    def __init__(self) -> None:
        super().__init__()
        self.is_awaited = asyncio.Event()

    async def wait(self) -> Literal[True]:
        self.is_awaited.set()
        return await super().wait()


@pytest.mark.parametrize("turns", range(6))
async def test_the_watch_ends_whatever_happens_when_it_is_told_to(
    client: InferenceClient, turns: int
) -> None:
    """A circuit opens some turns of the loop before: the word to end must not be lost in that."""

    async def report(_ready: bool) -> None:  # noqa: FBT001  the watch's own signature
        """Nobody asks."""

    client.circuits.found_away = found_away = Awaited()
    running = asyncio.create_task(ReadinessWatch(client, "matte", 30, 1, report).run())
    await found_away.is_awaited.wait()
    found_away.set()
    for _ in range(turns):
        await asyncio.sleep(0)
    running.cancel()
    ended, _ = await asyncio.wait({running}, timeout=5)
    assert ended == {running}


async def test_a_request_that_found_the_model_away_is_asked_again_unseen() -> None:
    inference, verdicts = Scripted(failures=ATTEMPTS - 1), list[bool]()
    client = client_of(inference, verdicts.append)
    model = await client.model("matte", 1)
    await client.infer(model, PHOTO, 1)
    assert (inference.asked, verdicts) == (ATTEMPTS, [True] * (ATTEMPTS - 1))


@pytest.mark.parametrize("error", [InferenceFailedError("its own"), DeadlineError("late")])
async def test_an_error_of_the_model_and_a_deadline_are_not_asked_again(
    error: ReasonedError,
) -> None:
    inference, verdicts = Scripted(failures=1, error=error), list[bool]()
    client = client_of(inference, verdicts.append)
    model = await client.model("matte", 1)
    with pytest.raises(type(error)):
        await client.infer(model, PHOTO, 1)
    assert (inference.asked, verdicts) == (1, [])


async def test_nothing_is_asked_again_past_the_caller_s_deadline() -> None:
    inference = FakeInferenceServer()
    inference.error, inference.delay_s = AWAY, 0.1
    verdicts = list[bool]()
    client = client_of(inference, verdicts.append)
    model = await client.model("matte", 1)
    with pytest.raises(InferenceUnavailableError):
        await client.infer(model, PHOTO, 0.05)
    assert verdicts == []


async def test_retries_never_multiply_an_outage() -> None:
    inference = Scripted(failures=1000)
    client = client_of(inference, lambda _allowed: None)
    model = await client.model("matte", 1)
    for _ in range(200):
        with pytest.raises(InferenceUnavailableError):
            await client.infer(model, PHOTO, 1)
    assert 200 + 20 <= inference.asked <= 200 + 10 + 0.1 * 200


@pytest.mark.parametrize(
    ("addresses", "target"),
    [
        ("triton:8001", "triton:8001"),
        ("10.0.0.1:8001, 10.0.0.2:8001", "ipv4:10.0.0.1:8001,10.0.0.2:8001"),
        ("[::1]:8001,[::1]:8002", "ipv6:[::1]:8001,[::1]:8002"),
        ("dns:///triton:8001", "dns:///triton:8001"),
    ],
)
def test_addresses_become_a_target(addresses: str, target: str) -> None:
    assert channel_target(addresses) == target


@pytest.mark.parametrize(
    ("addresses", "why"),
    [
        ("triton", "not HOST:PORT"),
        ("10.0.0.1:8001,triton:8001", "has a name"),
        ("10.0.0.1:8001,[::1]:8001", "all IPv4 or all IPv6"),
        ("10.0.0.1:99999", "not HOST:PORT"),
    ],
)
def test_addresses_that_grpc_cannot_balance_are_refused(addresses: str, why: str) -> None:
    with pytest.raises(ValueError, match=why):
        channel_target(addresses)


@pytest.mark.parametrize(
    ("addresses", "sole"),
    [
        ("127.0.0.1:8001", True),
        ("[::1]:8001", True),
        ("127.0.0.1:8001,127.0.0.1:8002", False),
        ("triton:8001", False),
        ("dns:///triton:8001", False),
    ],
)
def test_only_an_address_of_numbers_is_one_triton_for_sure(addresses: str, sole: bool) -> None:  # noqa: FBT001
    assert is_sole(addresses) == sole
    assert len(single_addresses(addresses)) == addresses.count(",") + 1
