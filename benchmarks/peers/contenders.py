"""What is compared, as it is started and asked: Packshot, Triton bare, and each peer's server."""

import os
from collections.abc import Callable, Sequence
from contextlib import ExitStack, closing
from dataclasses import dataclass
from pathlib import Path
from typing import Self

import onnx

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
from benchmarks.peers.server import Server, running_server
from benchmarks.peers.summary import PACKSHOT
from deploy.local.stack import Stack, free_addresses, free_ports, running
from export.contract import PHOTO

TRITON = "triton"
REMBG, LITSERVE, BENTOML = "rembg", "litserve", "bentoml"
PEERS = (REMBG, LITSERVE, BENTOML)
_SERVERS = Path(__file__).parent / "servers"
# The gateway refuses what would wait longer than 0.75 s; no peer refuses anything.
_PATIENT = {"PACKSHOT_MAX_WAIT_S": "60"}
_BACKGROUNDS = {"png": "transparent", "jpeg": "white"}


@dataclass(frozen=True, slots=True)
class Contender:
    """Something that is running and can be asked.

    Attributes:
        connect: Makes a caller with these photos.
        pids: Its processes, whose children count as well.
        server: The peer's server, which is paused between turns; None: ours, which is not.
    """

    connect: Callable[[Sequence[bytes]], Caller]
    pids: tuple[int, ...]
    server: Server | None = None

    def caller_of(self, photos: Sequence[bytes]) -> Connect:
        """Return what makes callers that send these photos."""
        return lambda: self.connect(photos)


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
        self._stack: Stack | None = None
        self._exits = ExitStack()

    def __enter__(self) -> Self:
        """Nothing runs yet."""
        return self

    def __exit__(self, *_: object) -> None:
        """Stop everything."""
        self._exits.close()

    def get(self, peer: str, model: str, output: str, photo: bytes) -> Contender:
        """Return a contender that has answered, and is paused if it is a peer's.

        Args:
            peer: Its name.
            model: What it runs.
            output: `png` or `jpeg`.
            photo: What it is tried with.

        Raises:
            PeerError: It cannot be installed, or did not start.
            StackError: Triton or the gateway did not start.
        """
        key = (peer, model, output)
        if key not in self._running:
            self._running[key] = self._start(peer, model, output, photo)
        return self._running[key]

    def _start(self, peer: str, model: str, output: str, photo: bytes) -> Contender:
        if peer == TRITON:
            stack = self._own_stack()
            return Contender(self._ask_triton(stack, model), (stack.parts[0].process.pid,))
        if peer == PACKSHOT:
            stack = self._own_stack()
            pids = tuple(part.process.pid for part in stack.parts)
            options = {"model": model, "format": output, "background": _BACKGROUNDS[output]}
            contender = Contender(lambda p: PackshotCaller(stack.target, p, options), pids)
            _try(contender, photo, output)
            return contender
        (port,) = free_ports(1)
        programs = ensure_environment(peer, self._environments)
        command, environ, cwd, connect = self._plan(peer, model, output, programs, port)
        # One that does not start is stopped at once, not kept until the end.
        with ExitStack() as starting:
            server = starting.enter_context(
                running_server(peer, command, environ, self._scratch, cwd)
            )
            contender = Contender(connect, (server.process.pid,), server)
            server.wait_until(lambda: _try(contender, photo, output))
            server.pause()
            self._exits.push(starting.pop_all())
        return contender

    def _plan(
        self, peer: str, model: str, output: str, programs: Path, port: int
    ) -> tuple[list[str], dict[str, str], Path, Callable[[Sequence[bytes]], Caller]]:
        """Say how a peer is run: command, environment, working directory, and how it is asked."""
        environ = {
            "PEER_MODEL": str(onnx_of(self._repository, model)),
            "PEER_OUTPUT": output,
            # `rembg s` opens a browser.
            "BROWSER": "true",
            "BENTOML_DO_NOT_TRACK": "true",
            "BENTOML_HOME": str(self._scratch / "bentoml"),
            "U2NET_HOME": str(self._u2netp.parent.resolve()) if self._u2netp else "",
            "PATH": f"{programs}:/usr/bin:/bin",
            # It has the application's packages in it, which a peer has no business with.
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

    def _own_stack(self) -> Stack:
        if self._stack is None:
            environ = {
                **os.environ,
                **free_addresses(),
                **_PATIENT,
                "PACKSHOT_MODEL_REPOSITORY": str(self._repository),
            }
            target = f"127.0.0.1:{environ['PACKSHOT_PORT']}"
            self._stack = self._exits.enter_context(running(environ, target, self._scratch))
            self._stack.wait_until_ready()
        return self._stack


def side_of(model: Path) -> int:
    """Return the side of a served model's input, pixels."""
    graph = onnx.load(model, load_external_data=False).graph
    shape = next(each for each in graph.input if each.name == PHOTO).type.tensor_type.shape
    return int(shape.dim[1].dim_value)


def _try(contender: Contender, photo: bytes, output: str) -> None:
    """Ask once and hold that a picture comes back."""
    with closing(contender.connect([photo])) as caller:
        check_picture(caller.ask(0), photo, output)
