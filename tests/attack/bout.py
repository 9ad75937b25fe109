"""One attack on one gateway, and what became of the gateway, its other callers and its books."""

import importlib
import multiprocessing
import signal
import time
from dataclasses import dataclass, field
from multiprocessing.connection import Connection
from multiprocessing.process import BaseProcess
from pathlib import Path

from tests.attack.arena import CREDITS, Arena, Setup, open_arena
from tests.attack.polite import Errand, run_errands
from tests.attack.target import Target
from tests.attack.watch import Watch
from tests.integration.processes import Triton

# Room for scenes of 4000 by 4000 pixels.
_LARGE = {"PACKSHOT_MAX_PHOTO_PIXELS": "16000000", "PACKSHOT_MAX_PIXELS_IN_FLIGHT": "64000000"}
# What each attack needs of the gateway that it attacks.
SETUPS: dict[str, Setup] = {
    "tls_storm": Setup(tls=True),
    "descriptors": Setup(open_files=256),
    "header_bombs": Setup(),
    "proto_bombs": Setup(),
    "unfinished_messages": Setup(accounts="sqlite"),
    "slow_senders": Setup(),
    "unread_replies": Setup(),
    "costly_scenes": Setup(environ=_LARGE),
    "cancellers": Setup(),
    "stream_hogs": Setup(),
    "frozen_database": Setup(accounts="postgresql"),
    "blocked_log": Setup(unread_log=True),
    "silent_metrics": Setup(),
    "costly_requests": Setup(environ=_LARGE),
}
# Of a hundred errands of a polite caller, so many are done whatever others do.
LEAST_DONE = 0.95
# Readiness may say yes for so long while no errand is done.
LONGEST_LIE_S = 15.0
_STOP_GRACE_S = 5.0
_ATTACK_GRACE_S = 60.0

_spawn = multiprocessing.get_context("spawn")


@dataclass(slots=True)
class Bout:
    """What came of one attack.

    Attributes:
        attack: Its name.
        report: What it says that it did.
        errands: How many photos the polite caller asked for.
        done: How many of them were rendered.
        slowest_s: The longest of those.
        most_mib: Most resident memory of the gateway, and of it with its workers, MiB.
        ceiling_mib: What the gateway's memory is to stay below, MiB.
        stop_s: Time from SIGTERM, during the attack's last seconds, to the gateway's end.
        faults: What must not be, a sentence each; none: the gateway held.
    """

    attack: str
    report: str = ""
    errands: int = 0
    done: int = 0
    slowest_s: float = 0.0
    most_mib: tuple[float, float] = (0.0, 0.0)
    ceiling_mib: float = 0.0
    stop_s: float = 0.0
    faults: list[str] = field(default_factory=list)


def fight(attack: str, triton: Triton, folder: Path, seconds: float) -> Bout:
    """Attack a gateway of its own for some time, beside a polite caller.

    Args:
        attack: The attack's module in this package.
        triton: The Triton that the gateway stands before.
        folder: Where logs go.
        seconds: For how long.
    """
    bout = Bout(attack)
    with open_arena(triton, SETUPS[attack], folder) as arena, Watch(arena.polite) as watch:
        polite, errands = _start_polite(arena.polite)
        attacker, outcome = _start(attack, arena.attacked, seconds)
        _wait(attacker, seconds + _ATTACK_GRACE_S)
        errands.send("stop")
        done = _errands_of(polite, errands, bout)
        bout.report = _report_of(outcome, bout)
        _judge_survival(arena, bout)
        _judge_errands(done, watch, bout)
        _judge_memory(arena, watch, bout)
        _judge_books(arena, done, bout)
        _judge_stop(attack, arena, bout)
    return bout


def _start_polite(target: Target) -> tuple[BaseProcess, Connection]:
    here, there = _spawn.Pipe()
    process = _spawn.Process(target=run_errands, args=(target, there), daemon=True)
    process.start()
    there.close()
    if not here.poll(_ATTACK_GRACE_S):
        raise TimeoutError("the polite caller has not done its first errand")
    here.recv()
    return process, here


def _start(attack: str, target: Target, seconds: float) -> tuple[BaseProcess, Connection]:
    here, there = _spawn.Pipe()
    # No daemon: an attack may have processes of its own.
    process = _spawn.Process(target=_attack, args=(attack, target, seconds, there))
    process.start()
    there.close()
    return process, here


def _attack(attack: str, target: Target, seconds: float, connection: Connection) -> None:
    module = importlib.import_module(f"tests.attack.{attack}")
    connection.send(module.attack(target, seconds))


def _wait(process: BaseProcess, timeout_s: float) -> None:
    process.join(timeout_s)
    if process.is_alive():
        process.kill()
        process.join()


def _errands_of(process: BaseProcess, connection: Connection, bout: Bout) -> list[Errand]:
    if not connection.poll(_ATTACK_GRACE_S):
        process.kill()
        bout.faults.append("the polite caller's last errand never ended")
        return []
    errands: list[Errand] = connection.recv()
    process.join()
    # The first was before the attack.
    return errands[1:]


def _report_of(connection: Connection, bout: Bout) -> str:
    try:
        return str(connection.recv()) if connection.poll() else "it did not end by itself"
    except EOFError:
        bout.faults.append("the attack itself failed: see its traceback")
        return ""


def _judge_survival(arena: Arena, bout: Bout) -> None:
    if not arena.gateway.is_running():
        bout.faults.append(f"the gateway ended with status {arena.gateway.status}")
        return
    until_s = time.monotonic() + _ATTACK_GRACE_S
    while not arena.is_ready():
        if time.monotonic() > until_s:
            bout.faults.append(f"not ready {_ATTACK_GRACE_S:g} s after the attack")
            return
        time.sleep(0.1)


def _judge_errands(errands: list[Errand], watch: Watch, bout: Bout) -> None:
    done = [errand for errand in errands if errand.done]
    bout.errands, bout.done = len(errands), len(done)
    bout.slowest_s = max((errand.duration_s for errand in done), default=0.0)
    if len(done) < LEAST_DONE * len(errands) or not errands:
        missed = sorted({errand.status for errand in errands if not errand.done})
        bout.faults.append(
            f"{len(done)} of {len(errands)} errands were done; the others: {', '.join(missed)}"
        )
    silent = sum(ready is None for _, ready in watch.readiness)
    if silent:
        bout.faults.append(f"/readyz did not answer {silent} of {len(watch.readiness)} times")
    lie_s = _longest_lie_s(errands, watch)
    if lie_s > LONGEST_LIE_S:
        bout.faults.append(f"/readyz said yes for {lie_s:.0f} s in which no errand was done")


def _longest_lie_s(errands: list[Errand], watch: Watch) -> float:
    """Return the longest time between errands that were done in which readiness said only yes."""
    longest = since = 0.0
    ends = [errand.start_s + errand.duration_s for errand in errands if errand.done]
    if errands:
        ends += [errands[0].start_s, errands[-1].start_s + errands[-1].duration_s]
    for at_s, ready in watch.readiness:
        since = at_s if not ready or not since else since
        told = [end for end in ends if since < end <= at_s]
        since = max(told, default=since)
        if errands and errands[0].start_s < at_s < ends[-1]:
            longest = max(longest, at_s - since)
    return longest


def _judge_memory(arena: Arena, watch: Watch, bout: Bout) -> None:
    bout.most_mib = watch.most_bytes / 2**20, watch.most_bytes_in_all / 2**20
    bout.ceiling_mib = arena.ceiling_bytes / 2**20
    if watch.most_bytes > arena.ceiling_bytes:
        bout.faults.append(
            f"the gateway took {bout.most_mib[0]:.0f} MiB; its ceiling is {bout.ceiling_mib:.0f}"
        )


def _judge_books(arena: Arena, errands: list[Errand], bout: Bout) -> None:
    """Hold the polite caller's books against what it got; its first errand is counted too."""
    if not arena.books or not arena.polite.api_key:
        return
    delivered = 1 + sum(errand.done for errand in errands)
    # Of an errand that was given up nobody knows whether its reply had left.
    unknown = len(errands) + 1 - delivered
    bout.faults += arena.books.faults(arena.polite.api_key, CREDITS, delivered, unknown)


def _judge_stop(attack: str, arena: Arena, bout: Bout) -> None:
    """Stop the gateway in the middle of a second, short attack."""
    if not arena.gateway.is_running():
        return
    seconds = arena.drain_timeout_s + _STOP_GRACE_S
    attacker, _ = _start(attack, arena.attacked, seconds)
    # An attack has no readiness of its own; the gateway's busyness is no condition of the stop.
    attacker.join(2.0)
    start_s = time.monotonic()
    arena.gateway.send_signal(signal.SIGTERM)
    try:
        arena.gateway.wait(seconds)
    except AssertionError:
        bout.faults.append(f"it ran for more than {seconds:g} s after SIGTERM")
    bout.stop_s = time.monotonic() - start_s
    _wait(attacker, seconds + _ATTACK_GRACE_S)
