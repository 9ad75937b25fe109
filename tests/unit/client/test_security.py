"""Where an API key may go, and what contradicts itself."""

import pytest
from click.testing import CliRunner

from packshot import AsyncClient, Client
from packshot.cli import main
from tests.support.scripted_service import Scripted, serving

KEY = "pk_1_2"


@pytest.mark.parametrize(
    "target",
    ["localhost:1", "127.0.0.1:1", "[::1]:1", "dns:///localhost:1", "ipv4:127.0.0.1:1", "unix:/x"],
)
def test_a_key_goes_to_this_machine_in_the_clear(target: str) -> None:
    Client(target, api_key=KEY).close()


@pytest.mark.parametrize(
    "target",
    ["example.org:1", "192.0.2.1:1", "[2001:db8::1]:1", "dns:///example.org:1", "localhost.org:1"],
)
def test_a_key_goes_to_another_machine_only_by_tls_or_on_demand(target: str) -> None:
    with pytest.raises(ValueError, match="in the clear"):
        Client(target, api_key=KEY)
    Client(target, api_key=KEY, tls=True).close()
    Client(target, api_key=KEY, plaintext_key=True).close()
    Client(target).close()


def test_parts_that_contradict_each_other_are_refused() -> None:
    with pytest.raises(ValueError, match="need each other"):
        Client(cert=b"certificate")
    with pytest.raises(ValueError, match="tls is off"):
        Client(tls=False, ca=b"ca")


def test_the_command_shows_the_account_of_the_key_in_its_environment() -> None:
    with serving(Scripted()) as target:
        result = CliRunner().invoke(
            main, ["--target", target, "account"], env={"PACKSHOT_API_KEY": KEY}
        )
    assert result.exit_code == 0, result.output
    assert result.output == (
        f"shop (Bearer {KEY}), issued 1970-01-02, no limit\n"
        "credits: 7 left, 0 held by renders under way, 3 spent\n"
    )


def test_the_command_refuses_to_show_a_key_to_everyone() -> None:
    result = CliRunner().invoke(main, ["--target", "example.org:1", "--api-key", KEY, "account"])
    assert result.exit_code == 2
    assert "in the clear" in result.output


async def test_callers_share_a_connection_and_no_key() -> None:
    service = Scripted()
    with serving(service) as target:
        async with AsyncClient(target, retries=False) as client:
            first, second = client.for_caller("pk_a_a"), client.for_caller("pk_b_b")
            assert (await first.account()).key_id == "Bearer pk_a_a"
            assert (await second.account()).key_id == "Bearer pk_b_b"
            assert (await client.for_caller().account()).key_id == ""
            assert (await client.account()).key_id == ""


async def test_a_caller_s_key_goes_to_another_machine_only_by_tls_or_on_demand() -> None:
    async with AsyncClient("example.org:1") as client:
        client.for_caller()
        with pytest.raises(ValueError, match="in the clear"):
            client.for_caller(KEY)
    async with AsyncClient("example.org:1", tls=True) as client:
        client.for_caller(KEY)
    async with AsyncClient("example.org:1", plaintext_key=True) as client:
        client.for_caller(KEY)
