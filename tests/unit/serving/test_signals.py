"""A signal reaches Triton though the exception that it raised was lost."""

import os
import signal

import pytest

from serving.server import _Receiver, _signals


class Triton:
    def __init__(self) -> None:
        self.signals: list[int] = []

    def send_signal(self, number: int) -> None:
        self.signals.append(number)


class Interrupted:
    """A signal comes while its destructor runs."""

    def __del__(self) -> None:
        os.kill(os.getpid(), signal.SIGTERM)
        # The handler runs between two steps of the interpreter: here is one.
        sum(range(10))


def pass_to(receiver: _Receiver) -> list[int]:
    triton = Triton()
    receiver.pass_to(triton)  # type: ignore[arg-type]
    return triton.signals


@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
def test_a_signal_in_a_destructor_before_triton_runs_is_passed_on_to_it() -> None:
    with _signals() as receiver:
        interrupted = Interrupted()
        del interrupted
        assert pass_to(receiver) == [signal.SIGTERM]


def test_a_signal_before_triton_runs_ends_the_preparation() -> None:
    with _signals() as receiver, pytest.raises(SystemExit) as ended:
        signal.raise_signal(signal.SIGINT)
    assert ended.value.code == 128 + signal.SIGINT
    assert receiver is not None


def test_triton_is_sent_nothing_where_no_signal_came() -> None:
    with _signals() as receiver:
        assert pass_to(receiver) == []
