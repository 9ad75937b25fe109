"""The health service of `grpc.health.v1`: it answers checks and watches.

The servicer of grpcio-health-checking is not used for two reasons. It sends to a watcher while it
holds the lock of the state, so a watcher that receives nothing would keep the gateway from becoming
unready and from stopping. And after one watcher leaves, others of the same service get no more
changes.
"""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import grpc
import grpc.aio
from grpc_health.v1 import health_pb2 as pb
from grpc_health.v1.health_pb2_grpc import HealthServicer

_Response = pb.HealthCheckResponse


class Health(HealthServicer):
    """Answers `grpc.health.v1.Health`."""

    def __init__(self) -> None:
        self._serving: dict[str, bool] = {}
        self._changed = asyncio.Event()
        self._ending = False

    def set(self, service: str, *, serving: bool) -> None:
        """Say whether a service serves; says nothing new after `end`."""
        if not self._ending:
            self._serving[service] = serving
            self._tell()

    def end(self) -> None:
        """Say for good that nothing serves any more."""
        self._ending = True
        self._serving = dict.fromkeys(self._serving, False)
        self._tell()

    async def Check(  # noqa: N802  the proto names it
        self,
        request: pb.HealthCheckRequest,
        context: grpc.aio.ServicerContext[pb.HealthCheckRequest, _Response],
    ) -> _Response:
        """Tell the state of one service."""
        if request.service not in self._serving:
            context.set_code(grpc.StatusCode.NOT_FOUND)
            return _Response()
        return self._state(request.service)

    async def Watch(  # noqa: N802  the proto names it
        self,
        request: pb.HealthCheckRequest,
        context: Any,  # noqa: ARG002  nothing is asked of it
    ) -> AsyncIterator[_Response]:
        """Tell the state of one service now and whenever it changes."""
        last = None
        while True:
            changed = self._changed
            state = self._state(request.service)
            if state != last:
                last = state
                # The state may change meanwhile, which `changed` then tells at once.
                yield state
            await changed.wait()

    def _state(self, service: str) -> _Response:
        serving = self._serving.get(service)
        if serving is None:
            return _Response(status=_Response.SERVICE_UNKNOWN)
        return _Response(status=_Response.SERVING if serving else _Response.NOT_SERVING)

    def _tell(self) -> None:
        changed, self._changed = self._changed, asyncio.Event()
        changed.set()
