"""Where an API key may go, and what contradicts itself."""

import pytest
from click.testing import CliRunner

from packshot import Client
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
