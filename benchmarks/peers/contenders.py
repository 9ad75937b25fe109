"""Starts what is compared: Packshot, Triton alone, and each peer's server."""

import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Self

import onnx

from benchmarks.errors import PeerError
from benchmarks.peers.callers import (
    Caller,
    Connect,
    HttpCaller,
    PackshotCaller,
    TritonCaller,
    check_picture,
    tensor_of,
)
from benchmarks.peers.environments import ensure_environment
from benchmarks.peers.models import U2NETP, onnx_of
from benchmarks.peers.server import awake, running_server
from benchmarks.peers.summary import PACKSHOT
from deploy.local.stack import Stack, free_addresses, running
from export.tensor_names import PHOTO
from processes.ready import ProcessError, free_ports
from processes.tree import pause, resume

TRITON = "triton"
REMBG, LITSERVE, BENTOML = "rembg", "litserve", "bentoml"
OWN = (PACKSHOT, TRITON)
PEERS = (REMBG, LITSERVE, BENTOML)
_SERVERS = Path(__file__).parent / "servers"
# The gateway refuses what would wait longer than 0.75 s; no peer refuses anything.
_PATIENT = {"PACKSHOT_MAX_WAIT_S": "60"}
_BACKGROUNDS = {"png": "transparent", "jpeg": "white"}


@dataclass(frozen=True, slots=True)
class Contender:
    """Something that runs, or stands still between its turns, and can be asked."""

    connect: Callable[[Sequence[bytes]], Caller]  # makes a caller with these photos
    pids: tuple[int, ...]  # its processes, whose children count as well
    check: Callable[[], None]  # raises `PeerError` if it has ended

    def caller_of(self, photos: Sequence[bytes]) -> Connect:
        """Return what makes callers that send these photos."""
        return lambda: self.connect(photos)

    @contextmanager
    def awake(self) -> Iterator[None]:
        """Let it run for the time of a block; it stands still after that."""
        self.check()
        with awake(self.pids):
            yield


class Contenders:
    """Starts contenders when they are first asked for, and stops all of them at the end.

    Args:
        repository: Triton's, with every model that is measured.
        u2netp: A U²-NetP as rembg takes it; None: rembg is not asked for.
        environments: Folder of the peers' environments.
        scratch: For logs and what servers write.
    """

    def __init__(
        self, repository: Path, u2netp: Path | None, environments: Path, scratch: Path
    ) -> None:
        self._repository, self._u2netp = repository, u2netp
        self._environments, self._scratch = environments, scratch
        self._running: dict[tuple[str, str, str], Contender] = {}
        self._stacks: dict[str, Stack] = {}
        self._exits = ExitStack()

    def __enter__(self) -> Self:
        """Nothing runs yet."""
        return self

    def __exit__(self, *_: object) -> None:
        """Stop everything."""
        self._exits.close()

    def get(self, peer: str, model: str, output: str, photo: bytes) -> Contender:
        """Return a contender that has answered, and stands still.

        Args:
            peer: Its name.
            model: What it runs.
            output: `png` or `jpeg`.
            photo: What it is tried with.

        Raises:
            PeerError: It cannot be installed, or did not start.
        """
        key = (peer, model, output)
        if key not in self._running:
            self._running[key] = self._start(peer, model, output, photo)
        return self._running[key]

    def _start(self, peer: str, model: str, output: str, photo: bytes) -> Contender:
        if peer in OWN:
            return self._start_own(peer, model, output, photo)
        (port,) = free_ports(1)
        programs = ensure_environment(peer, self._environments)
        command, environ, cwd, connect = self._plan(peer, model, output, programs, port)
        # One that does not start is stopped at once, not kept until the end.
        with ExitStack() as starting:
            server = starting.enter_context(
                running_server(peer, command, environ, self._scratch, cwd)
            )
            contender = Contender(connect, (server.process.pid,), server.check)
            server.wait_until_answers(lambda: _try(contender, photo, output))
            pause(contender.pids)
            self._exits.push(starting.pop_all())
        return contender

    def _start_own(self, peer: str, model: str, output: str, photo: bytes) -> Contender:
        stack = self._stack_of(model)
        pids = tuple(part.process.pid for part in stack.parts)
        check = partial(_check_stack, stack)
        if peer == TRITON:
            return Contender(self._ask_triton(stack, model), pids[:1], check)
        options = {"model": model, "format": output, "background": _BACKGROUNDS[output]}
        contender = Contender(lambda p: PackshotCaller(stack.target, p, options), pids, check)
        with contender.awake():
            _try(contender, photo, output)
        return contender

    def _plan(
        self, peer: str, model: str, output: str, programs: Path, port: int
    ) -> tuple[list[str], dict[str, str], Path, Callable[[Sequence[bytes]], Caller]]:
        """Return command, environment, working directory and caller of a peer."""
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
        if peer == REMBG:
            command = [
                *(str(programs / "rembg"), "s", "--host", "127.0.0.1", "--port", str(port)),
                *("--no-ui", "--log_level", "warning"),
            ]
            fields = {"model": U2NETP}
            return (
                command,
                environ,
                self._scratch,
                lambda p: HttpCaller(port, "/api/remove", p, "file", fields),
            )
        if peer == LITSERVE:
            command = [str(programs / "python"), "litserve_server.py", str(port)]
            return command, environ, _SERVERS, lambda p: HttpCaller(port, "/predict", p)
        command = [
            *(str(programs / "bentoml"), "serve", "bentoml_server:Photos"),
            *("--host", "127.0.0.1", "--port", str(port)),
        ]
        return command, environ, _SERVERS, lambda p: HttpCaller(port, "/remove", p, "photo")

    def _ask_triton(self, stack: Stack, model: str) -> Callable[[Sequence[bytes]], Caller]:
        side_px = side_of(onnx_of(self._repository, model))
        return lambda p: TritonCaller(
            stack.triton, model, [tensor_of(photo, side_px) for photo in p]
        )

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
            logs.mkdir()
            with ExitStack() as starting:
                stack = starting.enter_context(running(environ, target, logs))
                pids = [part.process.pid for part in stack.parts]
                # A stopped process does not receive the signal to end.
                starting.callback(resume, pids)
                try:
                    stack.wait_until_ready()
                except ProcessError as exc:
                    raise PeerError(str(exc)) from exc
                pause(pids)
                self._exits.push(starting.pop_all())
            self._stacks[model] = stack
        return self._stacks[model]


def side_of(model: Path) -> int:
    """Return the side of a served model's input, pixels."""
    graph = onnx.load(model, load_external_data=False).graph
    shape = next(each for each in graph.input if each.name == PHOTO).type.tensor_type.shape
    return int(shape.dim[1].dim_value)


def _check_stack(stack: Stack) -> None:
    try:
        stack.check()
    except ProcessError as exc:
        raise PeerError(str(exc)) from exc


def _try(contender: Contender, photo: bytes, output: str) -> None:
    """Ask once and check that a picture comes back."""
    with closing(contender.connect([photo])) as caller:
        check_picture(caller.ask(0).content, photo, output)
