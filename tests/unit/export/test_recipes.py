"""Recipes are read strictly, and those of the public models are whole."""

import re
from pathlib import Path

import pytest

from export.errors import RecipeError
from export.recipes import PUBLIC_MODELS, Activation, CommercialUse, Recipe, read_recipe

WHOLE = """
side = 512
mean = [0.5, 0.4, 0.3]
std = [1, 0.5, 0.25]
licence = "MIT"
source = "https://example.org/model"
"""


def written(folder: Path, text: str) -> Path:
    path = folder / "recipe.toml"
    path.write_text(text)
    return path


def test_a_recipe_is_read(tmp_path: Path) -> None:
    text = WHOLE + 'highest = 255\noutput = 2\nactivation = "sigmoid"\nnetwork = "isnet"\n'
    assert read_recipe(written(tmp_path, text)) == Recipe(
        512,
        (0.5, 0.4, 0.3),
        (1.0, 0.5, 0.25),
        "MIT",
        "https://example.org/model",
        highest=255.0,
        output=2,
        activation=Activation.SIGMOID,
        network="isnet",
    )


def test_scale_and_shift_are_the_normalisation_in_one_step() -> None:
    recipe = Recipe(8, (0.5, 0.4, 0.3), (1.0, 0.5, 0.25), "MIT", "here", highest=2.0)
    for scale, shift, mean, std in zip(
        recipe.scale, recipe.shift, recipe.mean, recipe.std, strict=True
    ):
        assert 51 * scale + shift == pytest.approx((51 / 255 * 2 - mean) / std)


@pytest.mark.parametrize(
    ("added", "message"),
    [
        ('activation = "min-max"', "never stretched"),
        ("colour = 3", "unknown: colour; known are side, mean"),
        ('network = "resnet"', "known are u2net, u2netp, isnet"),
        ("output = -1", "not negative"),
        ("output = 1.5", r"1\.5 is no whole number"),
        ("highest = true", "True is no number"),
        ("highest = 0", "must be positive"),
        ('side = "big"', "cannot be read"),  # a key twice is no TOML
    ],
)
def test_a_recipe_of_another_form_is_refused(tmp_path: Path, added: str, message: str) -> None:
    with pytest.raises(RecipeError, match=message):
        read_recipe(written(tmp_path, WHOLE + added))


def test_what_a_recipe_lacks_is_named(tmp_path: Path) -> None:
    with pytest.raises(RecipeError, match="missing: licence, mean, source, std"):
        read_recipe(written(tmp_path, "side = 3"))
    with pytest.raises(RecipeError, match="mean has 2 values, not 3"):
        read_recipe(written(tmp_path, WHOLE.replace("[0.5, 0.4, 0.3]", "[0.5, 0.4]")))
    with pytest.raises(RecipeError, match=r"nowhere\.toml"):
        read_recipe(tmp_path / "nowhere.toml")


@pytest.mark.parametrize("name", PUBLIC_MODELS)
def test_every_public_model_is_pinned_and_licensed(name: str) -> None:
    model = PUBLIC_MODELS[name]
    assert model.name == name
    assert model.address.startswith(("https://", "npm:"))
    assert model.recipe.source.startswith("https://")
    assert model.recipe.licence
    assert model.terms
    lengths = {"md5": 32, "sha256": 64}
    assert model.digests
    for digest in model.digests:
        algorithm, _, value = digest.partition(":")
        assert len(bytes.fromhex(value)) * 2 == lengths[algorithm]


def test_what_is_known_of_commercial_use_is_said() -> None:
    known: dict[CommercialUse, set[str]] = {}
    for name, model in PUBLIC_MODELS.items():
        known.setdefault(model.commercial, set()).add(name)
    assert known == {
        CommercialUse.FORBIDDEN: {"rmbg-1.4", "rmbg-2.0"},
        # By the author's word (xuebinqin/U-2-Net#208).
        CommercialUse.ALLOWED: {"u2net", "u2netp"},
        # Trained on pictures whose terms restrict it (xuebinqin/DIS#150, ZhengPeng7/BiRefNet#306).
        CommercialUse.UNCLEAR: {
            "isnet",
            "isnet-general-use",
            "birefnet-general",
            "birefnet-general-lite",
        },
    }


@pytest.mark.parametrize("name", PUBLIC_MODELS)
def test_the_documents_say_the_same_of_commercial_use(name: str, root: Path) -> None:
    text = (root / "docs" / "models.md").read_text()
    (row,) = re.findall(rf"^\| `{re.escape(name)}` \|.*$", text, re.MULTILINE)
    assert row.split("|")[5].strip().strip("*¹²³ ").strip("*") == PUBLIC_MODELS[name].commercial
