"""Cards as `export` writes them are read; broken ones are logged and left out."""

import json

import pytest

from gateway.inference.model_card import ModelMeasure, ModelSource, read_card

CARD = {
    "name": "matte",
    "network": "export.networks.matte",
    "licence": "Apache-2.0",
    "side": 256,
    "parameters": 2156999,
    "precision": "int8",
    "command": "python -m export train --seed 20",
    "seed": 20,
    "trained": {"steps": 3},
    "measures": {"photos": {"iou": 0.8, "mae": 0.05}},
    "sources": [{"pictures": "garments", "origin": "https://example.org", "licence": "MIT"}],
}


def test_a_card_is_read() -> None:
    card = read_card("matte", json.dumps(CARD))
    assert card
    assert (card.licence, card.parameters, card.precision) == ("Apache-2.0", 2156999, "int8")
    assert card.measures == (
        ModelMeasure("photos", "iou", 0.8),
        ModelMeasure("photos", "mae", 0.05),
    )
    assert card.sources == (ModelSource("garments", "https://example.org", "MIT"),)


def test_a_model_without_a_card_has_none() -> None:
    assert read_card("matte", "") is None


@pytest.mark.parametrize(
    "text",
    [
        "no json",
        "[]",
        json.dumps({key: value for key, value in CARD.items() if key != "licence"}),
        json.dumps({**CARD, "parameters": "many"}),
        json.dumps({**CARD, "measures": {"photos": 3}}),
        json.dumps({**CARD, "sources": [{"pictures": "x"}]}),
    ],
)
def test_a_broken_card_is_left_out_and_logged(text: str, caplog: pytest.LogCaptureFixture) -> None:
    assert read_card("matte", text) is None
    assert "card of model matte cannot be read" in caplog.text
