"""Answers to plain Python."""

from packshot import Box, Check, Packshot, Sides, Verdict
from packshot._answer import from_response
from packshot.v1 import packshot_pb2 as pb
from tests.support.scripted_service import ANSWER


def test_the_whole_answer_is_read() -> None:
    response = pb.RenderResponse()
    response.CopyFrom(ANSWER)
    response.matte = b"matte"
    response.verdict.CopyFrom(
        pb.Verdict(
            preset="bazaar",
            complies=True,
            checks=[
                pb.Check(
                    rule="fill",
                    importance=pb.IMPORTANCE_REQUIRED,
                    passed=True,
                    measured=86.5,
                    at_least=85,
                    at_most=0,
                    unit="%",
                    explanation="It fills enough.",
                ),
                pb.Check(rule="format", importance=pb.IMPORTANCE_ADVISED, explanation="No."),
            ],
        )
    )
    assert {field.name for field, _ in response.ListFields()} == {
        field.name for field in pb.RenderResponse.DESCRIPTOR.fields
    }
    assert from_response(response) == Packshot(
        picture=b"picture",
        matte=b"matte",
        format="png",
        media_type="image/png",
        width_px=30,
        height_px=20,
        product=Box(1, 2, 3, 4),
        magnification=0.5,
        model="matte",
        model_version="1",
        confidence=0.75,
        cut_off=Sides(left=False, top=False, right=False, bottom=True),
        stages_s={
            "decode": 0.25,
            "prepare": 0,
            "infer": 0,
            "refine": 0,
            "compose": 0,
            "encode": 0,
            "verify": 0.125,
            "queue": 0,
            "total": 0.5,
        },
        verdict=Verdict(
            preset="bazaar",
            complies=True,
            checks=(
                Check("fill", True, True, 86.5, 85, 0, "%", "It fills enough."),  # noqa: FBT003
                Check("format", False, False, 0, None, None, "", "No."),  # noqa: FBT003
            ),
        ),
        notes=("a note",),
        cut="keep",
    )


def test_a_service_that_does_not_say_which_cut_it_used_has_asked_its_model() -> None:
    answer = pb.RenderResponse()
    answer.CopyFrom(ANSWER)
    answer.ClearField("cut")
    assert from_response(answer).cut == "refine"


def test_without_a_preset_there_is_no_verdict() -> None:
    assert from_response(ANSWER).verdict is None
