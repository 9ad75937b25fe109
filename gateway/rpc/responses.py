"""Replies: from the gateway's types to protobuf."""

from typing import Final

from google.protobuf.timestamp_pb2 import Timestamp

from gateway.accounts.store import Account
from gateway.inference.model_card import ModelCard
from gateway.inference.server import MattingModel
from gateway.observability.labels import Stage
from gateway.rendering.packshot import Packshot
from gateway.rpc.requests.output import FORMATS
from imaging.presets.preset import Preset
from imaging.presets.rules import Importance, sentence
from imaging.presets.verdict import Check, Verdict
from packshot.v1 import packshot_pb2 as pb

_FORMAT_NUMBERS: Final = {picture_format: number for number, picture_format in FORMATS.items()}
_IMPORTANCE_NUMBERS: Final = {
    Importance.REQUIRED: pb.IMPORTANCE_REQUIRED,
    Importance.ADVISED: pb.IMPORTANCE_ADVISED,
}


def render_response(packshot: Packshot) -> pb.RenderResponse:
    """Put a finished picture into its message."""
    box = packshot.product
    return pb.RenderResponse(
        picture=packshot.picture,
        format=_FORMAT_NUMBERS[packshot.picture_format],
        media_type=packshot.picture_format.media_type,
        width_px=packshot.width_px,
        height_px=packshot.height_px,
        product=pb.Box(left_px=box.left, top_px=box.top, right_px=box.right, bottom_px=box.bottom),
        magnification=packshot.magnification,
        model=packshot.model,
        model_version=packshot.model_version,
        times=pb.StageTimes(
            decode_s=packshot.stages_s[Stage.DECODE],
            prepare_s=packshot.stages_s.get(Stage.PREPARE, 0.0),
            infer_s=packshot.stages_s.get(Stage.INFER, 0.0),
            refine_s=packshot.stages_s[Stage.REFINE],
            compose_s=packshot.stages_s[Stage.COMPOSE],
            encode_s=packshot.stages_s[Stage.ENCODE],
            verify_s=packshot.stages_s.get(Stage.VERIFY, 0.0),
            queue_s=packshot.stages_s[Stage.QUEUE],
            total_s=packshot.total_s,
        ),
        notes=packshot.notes,
        confidence=packshot.confidence,
        cut_off=pb.Sides(**packshot.cut_off._asdict()),
        verdict=_verdict_message(packshot.verdict) if packshot.verdict else None,
        cut=pb.CUT_KEEP if packshot.keeps_own_cut else pb.CUT_REFINE,
        matte=packshot.matte,
    )


def model_message(model: MattingModel, *, is_default: bool) -> pb.Model:
    """Put a model into its message."""
    return pb.Model(
        name=model.name,
        version=model.version,
        ready=model.ready,
        is_default=is_default,
        input_width_px=model.input_width_px,
        input_height_px=model.input_height_px,
        card=_card_message(model.card) if model.card else None,
    )


def preset_message(preset: Preset) -> pb.Preset:
    """Put a preset into its message."""
    return pb.Preset(
        name=preset.name,
        summary=preset.summary,
        source=preset.source,
        checked_on=preset.checked_on.isoformat() if preset.checked_on else "",
        rules=[sentence(rule) for rule in preset.rules],
    )


def _card_message(card: ModelCard) -> pb.ModelCard:
    return pb.ModelCard(
        licence=card.licence,
        network=card.network,
        parameters=card.parameters,
        precision=card.precision,
        training_command=card.training_command,
        seed=card.seed,
        sources=[
            pb.ModelSource(description=each.description, origin=each.origin, licence=each.licence)
            for each in card.sources
        ],
        measures=[
            pb.ModelMeasure(pictures=each.pictures, measure=each.measure, value=each.value)
            for each in card.measures
        ],
    )


def account_response(account: Account) -> pb.GetAccountResponse:
    """Put the state of an account into its message."""
    created_at = Timestamp()
    created_at.FromMilliseconds(round(account.created_at_s * 1000))
    return pb.GetAccountResponse(
        key_id=account.key_id,
        name=account.name,
        credits_left=account.credits_left,
        credits_spent=account.credits_spent,
        credits_held=account.credits_held,
        rate_limit_per_s=account.limit.per_s,
        created_at=created_at,
    )


def _verdict_message(verdict: Verdict) -> pb.Verdict:
    return pb.Verdict(
        preset=verdict.preset,
        complies=verdict.complies,
        checks=map(_check_message, verdict.checks),
    )


def _check_message(check: Check) -> pb.Check:
    return pb.Check(
        rule=check.rule,
        importance=_IMPORTANCE_NUMBERS[check.importance],
        passed=check.passed,
        measured=check.measured,
        at_least=check.at_least,
        at_most=check.at_most,
        unit=check.unit,
        explanation=check.explanation,
    )
