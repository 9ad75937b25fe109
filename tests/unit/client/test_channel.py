"""Where a channel leads: past proxies to this machine, and named where nobody answers."""

import socket
import threading
from collections.abc import Iterator

import pytest

from packshot import AsyncClient, Client, UnavailableError
from packshot._channel import route_to
from tests.support.scripted_service import Scripted, serving


@pytest.fixture(autouse=True)
def no_proxies(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("grpc_proxy", "https_proxy", "http_proxy", "no_grpc_proxy", "no_proxy"):
        monkeypatch.delenv(name, raising=False)


@pytest.fixture
def proxy() -> Iterator[str]:
    """A proxy that refuses every connection it is asked for."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]

        def refuse() -> None:
            while True:
                connection, _ = server.accept()
                with connection:
                    if not connection.recv(4096):
                        return
                    connection.sendall(b"HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\n\r\n")

        thread = threading.Thread(target=refuse)
        thread.start()
        yield f"127.0.0.1:{port}"
        with socket.create_connection(("127.0.0.1", port)):
            pass
        thread.join()


async def test_this_machine_is_reached_past_a_proxy(
    monkeypatch: pytest.MonkeyPatch, proxy: str
) -> None:
    monkeypatch.setenv("http_proxy", f"http://{proxy}")
    with serving(Scripted()) as target:
        for name in (target, target.replace("127.0.0.1", "localhost")):
            with Client(name) as client:
                assert client.render(b"photo").model == "matte"
            async with AsyncClient(name) as async_client:
                assert (await async_client.render(b"photo")).model == "matte"


async def test_a_proxy_on_the_way_is_named_without_its_password(
    monkeypatch: pytest.MonkeyPatch, proxy: str
) -> None:
    monkeypatch.setenv("http_proxy", f"http://user:secret@{proxy}")
    with Client("shop.example:443", retries=False) as client:
        with pytest.raises(UnavailableError) as caught:
            client.render(b"photo", timeout_s=20)
        with pytest.raises(UnavailableError) as caught_many:
            list(client.render_many([b"photo"], timeout_s=20))
    async with AsyncClient("shop.example:443", retries=False) as async_client:
        with pytest.raises(UnavailableError) as caught_async:
            await async_client.render(b"photo", timeout_s=20)
    for error in (caught, caught_many, caught_async):
        assert f"to shop.example:443 by the proxy {proxy}, which http_proxy names" in str(
            error.value
        )
        assert "secret" not in str(error.value)


@pytest.mark.parametrize(
    ("environment", "route"),
    [
        ({}, "shop.example:443"),
        ({"http_proxy": "http://p:1"}, "shop.example:443 by the proxy p:1, which http_proxy names"),
        ({"http_proxy": "socks5://p:1"}, "shop.example:443"),
        (
            {"http_proxy": "http://p:1", "grpc_proxy": "http://q:2"},
            "shop.example:443 by the proxy q:2, which grpc_proxy names",
        ),
        ({"http_proxy": "http://p:1", "no_proxy": "a.example, shop.example"}, "shop.example:443"),
    ],
)
def test_the_route_is_as_grpc_takes_it(
    monkeypatch: pytest.MonkeyPatch, environment: dict[str, str], route: str
) -> None:
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    assert route_to("shop.example:443") == route


def test_a_target_that_nobody_answers_at_is_named() -> None:
    with (
        Client("127.0.0.1:1", retries=False) as client,
        pytest.raises(UnavailableError, match=r"\(to 127\.0\.0\.1:1\)"),
    ):
        client.render(b"photo")


@pytest.mark.parametrize(("form", "met"), [("ipv4:{0},{1}", 2), ("{0}", 1)])
def test_calls_go_to_each_address_in_turn_where_a_target_stands_for_several(
    form: str, met: int
) -> None:
    one, other = Scripted(), Scripted()
    with (
        serving(one) as first,
        serving(other) as second,
        Client(form.format(first, second), timeout_s=10) as client,
    ):
        for _ in range(20):
            client.render(b"photo")
    assert len([each for each in (one, other) if each.requests]) == met
