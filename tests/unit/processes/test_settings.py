from dataclasses import dataclass
from pathlib import Path

import pytest

from processes.settings import SettingError, as_table, load, require, setting


@dataclass(frozen=True)
class Sample:
    """A process."""

    port: int = setting("PACKSHOT_SAMPLE_PORT", 7, "a port")
    ratio: float = setting("PACKSHOT_SAMPLE_RATIO", 0.5, "a share, 50% by default")
    folder: Path = setting("PACKSHOT_SAMPLE_FOLDER", Path("here"), "a folder")
    models: tuple[str, ...] = setting("PACKSHOT_SAMPLE_MODELS", (), "some names")
    loud: bool = setting("PACKSHOT_SAMPLE_LOUD", False, "whether it shouts")  # noqa: FBT003
    address: str | None = setting("PACKSHOT_SAMPLE_ADDRESS", None, "where it is")

    def __post_init__(self) -> None:
        require(self, "port", at_least=0, at_most=65535)


def test_a_flag_wins_over_the_environment_and_the_environment_over_the_default() -> None:
    environ = {"PACKSHOT_SAMPLE_PORT": "8", "PACKSHOT_SAMPLE_RATIO": "0.25"}
    settings = load(Sample, environ, ["--port", "9"], prog="sample")
    assert (settings.port, settings.ratio, settings.folder) == (9, 0.25, Path("here"))


def test_every_type_is_read_from_text() -> None:
    flags = ["--folder", "/x", "--models", "a, b,", "--loud", "yes", "--address", "h:1"]
    settings = load(Sample, {}, flags, prog="sample")
    assert settings.folder == Path("/x")
    assert settings.models == ("a", "b")
    assert settings.loud is True
    assert settings.address == "h:1"


def test_an_empty_variable_counts_as_unset() -> None:
    assert load(Sample, {"PACKSHOT_SAMPLE_PORT": ""}, [], prog="sample").port == 7


@pytest.mark.parametrize(
    ("environ", "message"),
    [
        (
            {"PACKSHOT_SAMPLE_PORT": "many"},
            "PACKSHOT_SAMPLE_PORT is 'many'; it must be of type int",
        ),
        ({"PACKSHOT_SAMPLE_PORT": "70000"}, "PACKSHOT_SAMPLE_PORT is 70000; .* at most 65535"),
        ({"PACKSHOT_SAMPLE_LOUD": "maybe"}, "PACKSHOT_SAMPLE_LOUD is 'maybe'; .* yes or no"),
    ],
)
def test_a_bad_value_names_the_setting_and_the_value(environ: dict[str, str], message: str) -> None:
    with pytest.raises(SettingError, match=message):
        load(Sample, environ, [], prog="sample")


def test_an_unknown_flag_is_a_usage_error(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as caught:
        load(Sample, {}, ["--nosuch", "1"], prog="sample")
    assert caught.value.code == 2
    assert "--nosuch" in capsys.readouterr().err


def test_help_shows_every_setting(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        load(Sample, {}, ["--help"], prog="sample")
    shown = " ".join(capsys.readouterr().out.split())
    assert "a share, 50% by default (default: 0.5; environment: PACKSHOT_SAMPLE_RATIO)" in shown


def test_the_table_holds_a_row_for_every_setting() -> None:
    rows = as_table(Sample).splitlines()
    assert rows[2] == "| `PACKSHOT_SAMPLE_PORT` | `--port int` | 7 | a port |"
    assert len(rows) == 2 + 6
