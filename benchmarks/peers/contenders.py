"""Starts what is compared: Packshot, its HTTP face, Triton alone, and each peer's server."""

import asyncio
import io
import os
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import onnx
from PIL import Image

from benchmarks.errors import BenchmarkError
from benchmarks.load.callers import CALLERS, Answer
from benchmarks.load.generator import Plan
from benchmarks.load.phase import Phase, carry_out
from benchmarks.peers.environments import ensure_environment
from benchmarks.peers.summary import PACKSHOT
from benchmarks.u2netp import U2NETP
from deploy.local.stack import Stack, free_addresses, running
from processes.ready import free_ports
from processes.server import ServerProcess
from processes.tree import awake, pause, resume

TRITON, HTTP = "triton", "http"
REMBG, LITSERVE, BENTOML = "rembg", "litserve", "bentoml"
OWN = (PACKSHOT, TRITON, HTTP)
PEERS = (REMBG, LITSERVE, BENTOML)
_SERVERS = Path(__file__).parent / "servers"
# The gateway refuses what would wait longer than 0.75 s; no peer refuses anything.
_PATIENT = {"PACKSHOT_MAX_WAIT_S": "60"}
# More than the slowest peer needs for all callers' photos on slow cores.
_TIMEOUT_S = 60.0
# Importing rembg compiles what it needs, on cores that others use as well.
_READY_TIMEOUT_S = 180.0
_STOP_TIMEOUT_S = 10.0


@dataclass(frozen=True, slots=True)
class Contender:
    """Something that runs, or stands still between its turns, and can be asked."""

    plan: Plan  # how it is asked, but for photos and time
    pids: tuple[int, ...]  # its processes, whose children count as well
    check: Callable[[], None]  # raises `ProcessError` if it has ended

    def take_turn(self, **changes: Any) -> Phase:
        """Let it run, and ask it as planned but for some changes.

        Raises:
            ServingError: It has ended, or a request failed.
        """
        self.check()
        with awake(self.pids):
            phase = carry_out(replace(self.plan, **changes), self.pids)
        self.check()
        if failed := {sample.status for sample in phase.sent.samples} - {"OK"}:
            raise BenchmarkError(f"a request failed: {', '.join(failed)}")
        return phase


class Contenders:
    """Starts contenders when they are first asked for.

    Args:
        repository: Triton's, with every model that is measured.
        u2netp: A U²-NetP as rembg takes it; None: rembg is not asked for.
        environments: Folder of the peers' environments.
        scratch: For logs and what servers write.
        exits: What stops them at its end.
        http: Whether the HTTP face is asked for.
    """

    def __init__(
        self,
        repository: Path,
        u2netp: Path | None,
        environments: Path,
        scratch: Path,
        exits: ExitStack,
        *,
        http: bool,
    ) -> None:
        self._repository, self._u2netp = repository, u2netp
        self._environments, self._scratch, self._http = environments, scratch, http
        self._running: dict[tuple[str, str, str], Contender] = {}
        self._stacks: dict[str, Stack] = {}
        self._exits = exits

    def get(self, peer: str, model: str, output: str, photo: bytes) -> Contender:
        """Return a contender that has answered, and stands still.

        Args:
            peer: Its name.
            model: What it runs.
            output: `png` or `jpeg`.
            photo: What it is tried with.

        Raises:
            ServingError: It cannot be installed, or did not start.
        """
        key = (peer, model, output)
        if key not in self._running:
            start = self._start_own if peer in OWN else self._start_peer
            self._running[key] = start(peer, model, output, photo)
        return self._running[key]

    def _start_peer(self, peer: str, model: str, output: str, photo: bytes) -> Contender:
        (port,) = free_ports(1)
        programs = ensure_environment(peer, self._environments)
        command, path, options = _way_to(peer, programs, port)
        environ = {
            "PEER_MODEL": str(onnx_of(self._repository, model)),
            "PEER_OUTPUT": output,
            # `rembg s` opens a browser.
            "BROWSER": "true",
            "BENTOML_DO_NOT_TRACK": "true",
            "BENTOML_HOME": str(self._scratch / "bentoml"),
            "U2NET_HOME": str(self._u2netp.parent.resolve()) if self._u2netp else "",
            "PATH": f"{programs}:/usr/bin:/bin",
            # It lists the application's packages, which a peer must not import.
            "PYTHONPATH": "",
        }
        plan = _plan(f"http://127.0.0.1:{port}/{path}", protocol="http", options=options)
        # One that does not start is stopped at once, not kept until the end.
        with ExitStack() as starting:
            server = starting.enter_context(
                ServerProcess(
                    peer,
                    command,
                    self._scratch / f"{peer}.log",
                    environ=environ,
                    cwd=_SERVERS,
                    stop_s=_STOP_TIMEOUT_S,
                    lenient=True,
                )
            )
            server.wait_until(lambda: not fault_of(plan, photo, output), _READY_TIMEOUT_S)
            contender = Contender(plan, (server.pid,), server.check)
            pause(contender.pids)
            self._exits.push(starting.pop_all())
        return contender

    def _start_own(self, peer: str, model: str, output: str, photo: bytes) -> Contender:
        stack = self._stack_of(model)
        pids = tuple(part.pid for part in stack.parts)
        if peer == TRITON:
            options = {"model": model, "side_px": _side_of(onnx_of(self._repository, model))}
            plan = _plan(stack.triton, protocol="triton", options=options)
            return Contender(plan, pids[:1], stack.check)
        white = output == "jpeg"
        if peer == HTTP:
            fields = {"size": "full", "format": "jpg" if white else "png"}
            fields |= {"bg_color": "white"} if white else {}
            options = {"file_field": "image_file", "fields": fields}
            plan = _plan(f"{stack.page}v1.0/removebg", protocol="http", options=options)
        else:
            pids = pids[:2]
            background = "white" if white else "transparent"
            options = {"model": model, "format": output, "background": background}
            plan = _plan(stack.target, options=options)
        with awake(pids):
            if fault := fault_of(plan, photo, output):
                raise BenchmarkError(fault)
        return Contender(plan, pids, stack.check)

    def _stack_of(self, model: str) -> Stack:
        """Return Triton and the gateway with one model, as a peer has one; they stand still."""
        if model not in self._stacks:
            environ = {
                **os.environ,
                **free_addresses(),
                **_PATIENT,
                "PACKSHOT_MODEL_REPOSITORY": str(self._repository),
                "PACKSHOT_TRITON_MODELS": model,
                "PACKSHOT_DEFAULT_MODEL": model,
            }
            target = f"127.0.0.1:{environ['PACKSHOT_PORT']}"
            logs = self._scratch / f"packshot-{model}"
            with ExitStack() as starting:
                stack = starting.enter_context(running(environ, target, logs, web=self._http))
                pids = [part.pid for part in stack.parts]
                # A stopped process does not receive the signal to end.
                starting.callback(resume, pids)
                stack.wait_until_ready()
                pause(pids)
                self._exits.push(starting.pop_all())
            self._stacks[model] = stack
        return self._stacks[model]


def onnx_of(repository: Path, model: str) -> Path:
    """Return a model's file in a repository."""
    return (repository / model / "1/model.onnx").resolve()


def fault_of(plan: Plan, photo: bytes, output: str) -> str:
    """Ask a server once; returns why its answer is no picture of the photo's size, or nothing.

    Args:
        plan: How it is asked.
        photo: The photo.
        output: `png`, transparent, or `jpeg`.
    """

    async def ask_once() -> Answer:
        async with CALLERS[plan.protocol](plan.target, plan.timeout_s, plan.options) as ask:
            return await ask(photo)

    answer = asyncio.run(ask_once())
    if answer.status != "OK":
        return answer.status
    with Image.open(io.BytesIO(photo)) as opened:
        wanted = (opened.size, output.upper(), "RGBA" if output == "png" else "RGB")
    try:
        with Image.open(io.BytesIO(answer.content)) as picture:
            picture.load()
            found = (picture.size, picture.format, picture.mode)
    except OSError as exc:
        return f"the answer is no picture: {exc}"
    return "" if found == wanted else f"the answer is {found}, not {wanted}"


def _plan(target: str, **how: Any) -> Plan:
    return Plan(target, (), 0.0, timeout_s=_TIMEOUT_S, **how)


def _way_to(peer: str, programs: Path, port: int) -> tuple[list[str | Path], str, dict[str, Any]]:
    """Return a peer's command, the path that photos are posted to, and how."""
    address = ("--host", "127.0.0.1", "--port", str(port))
    command: list[str | Path]
    if peer == REMBG:
        command = [programs / "rembg", "s", *address, "--no-ui", "--log_level", "warning"]
        return command, "api/remove", {"file_field": "file", "fields": {"model": U2NETP}}
    if peer == LITSERVE:
        return [programs / "python", "litserve_server.py", str(port)], "predict", {}
    command = [programs / "bentoml", "serve", "bentoml_server:Photos", *address]
    return command, "remove", {"file_field": "photo"}


def _side_of(model: Path) -> int:
    """Return the side of a served model's input, pixels."""
    (photo,) = onnx.load(model, load_external_data=False).graph.input
    return int(photo.type.tensor_type.shape.dim[1].dim_value)
