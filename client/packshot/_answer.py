"""What the service answers, from the interface's messages to plain Python."""

from dataclasses import dataclass
from os import PathLike
from pathlib import Path
from typing import Literal, NamedTuple, cast

from packshot._files import write_file
from packshot._options import FORMAT_OF, PICTURE_SUFFIXES, FormatName
from packshot._words import FORMATS
from packshot.v1 import packshot_pb2 as pb

_FORMAT_NAMES = {number: cast("FormatName", name) for name, number in FORMATS.items()}


class Box(NamedTuple):
    """A box of whole pixels: left and top inclusive, right and bottom exclusive."""

    left: int
    top: int
    right: int
    bottom: int


class Sides(NamedTuple):
    """Sides of a picture."""

    left: bool
    top: bool
    right: bool
    bottom: bool


@dataclass(frozen=True, slots=True)
class Check:
    """One rule of a preset, and what was measured on the file.

    Attributes:
        rule: The rule's name, such as "background" or "longest-side".
        required: Whether the marketplace refuses a file that breaks it; if not, it is advice.
        passed: Whether the file keeps it.
        measured: What was measured, in the unit.
        at_least: Least that is allowed; None: no such bound.
        at_most: Most that is allowed; None: no such bound.
        unit: Such as "px" or "%"; empty for a rule without figures.
        explanation: A sentence that names rule, measure and bound.
    """

    rule: str
    required: bool
    passed: bool
    measured: float
    at_least: float | None
    at_most: float | None
    unit: str
    explanation: str


@dataclass(frozen=True, slots=True)
class Verdict:
    """What a marketplace's rules say of a finished file.

    Attributes:
        preset: The preset's name.
        complies: Whether every requirement is met; advice does not count.
        checks: Every rule, in the preset's order.
    """

    preset: str
    complies: bool
    checks: tuple[Check, ...]


@dataclass(frozen=True, slots=True)
class Packshot:
    """A finished picture.

    Attributes:
        picture: The file.
        format: "png", "jpeg", "webp" or "avif".
        media_type: The file's media type.
        width_px: Width.
        height_px: Height.
        product: The product's box in the picture.
        magnification: Factor from the photo's pixels to the picture's; above 1 the product was
            enlarged and is less sharp than its frame.
        model: The model that made the cut; empty for a cut that the photo brought.
        model_version: That model's version; empty for a cut that the photo brought.
        confidence: How sure the model is of its cut, 0 to 1: the overlap (intersection over union)
            that its own doubts let expect; 1 for a cut that the photo brought.
        cut_off: The sides of the photo that cut the product off.
        stages_s: Seconds that each stage took inside the service: decode, prepare, infer, refine,
            compose, encode, verify (0 without a preset), queue (waiting for a processor, before
            all of them together), and total.
        verdict: Whether the file complies with the preset; None if none was named.
        cut: Which cut was used: "keep", the photo's own, or "refine", the model's.
        matte: With `content="layers"` the matte's file, a grey PNG, white the product; else empty.
        notes: What could not be followed, such as a broken colour profile that was taken for
            absent, or a product that would have had to be enlarged too far; empty as a rule.
    """

    picture: bytes
    format: FormatName
    media_type: str
    width_px: int
    height_px: int
    product: Box
    magnification: float
    model: str
    model_version: str
    confidence: float
    cut_off: Sides
    stages_s: dict[str, float]
    verdict: Verdict | None = None
    notes: tuple[str, ...] = ()
    cut: Literal["keep", "refine"] = "refine"
    matte: bytes = b""

    def save(self, path: str | PathLike[str], *, overwrite: bool = True) -> None:
        """Write the picture's file, whole or not at all.

        Args:
            path: Where; a suffix that names another format is refused.
            overwrite: Whether a file that is there is replaced.

        Raises:
            ValueError: The suffix says another format than the picture has.
            FileExistsError: There is a file, and it is not to be replaced.
            OSError: The file cannot be written; what was there is still there.
        """
        suffix = Path(path).suffix.lower()
        if suffix in PICTURE_SUFFIXES and FORMAT_OF.get(suffix) != self.format:
            raise ValueError(f"the picture is {self.format}, but the path is {path}")
        write_file(path, self.picture, replace=overwrite)


@dataclass(frozen=True, slots=True)
class Preset:
    """A marketplace's rules for a picture.

    Attributes:
        name: Its name, as `render` takes it.
        summary: What it is for, a sentence.
        source: Address of the marketplace's own rules.
        checked_on: The day on which the rules were last compared with their source, "YYYY-MM-DD".
        rules: The rules, a sentence each.
    """

    name: str
    summary: str
    source: str
    checked_on: str
    rules: tuple[str, ...]


def from_response(response: pb.RenderResponse) -> Packshot:
    """Read the answer of one render."""
    box, sides, times = response.product, response.cut_off, response.times
    return Packshot(
        picture=response.picture,
        format=_FORMAT_NAMES[response.format],
        media_type=response.media_type,
        width_px=response.width_px,
        height_px=response.height_px,
        product=Box(box.left_px, box.top_px, box.right_px, box.bottom_px),
        magnification=response.magnification,
        model=response.model,
        model_version=response.model_version,
        confidence=response.confidence,
        cut_off=Sides(sides.left, sides.top, sides.right, sides.bottom),
        stages_s={
            field.name.removesuffix("_s"): getattr(times, field.name)
            for field in times.DESCRIPTOR.fields
        },
        verdict=_from_verdict(response.verdict) if response.HasField("verdict") else None,
        notes=tuple(response.notes),
        cut="keep" if response.cut == pb.CUT_KEEP else "refine",
        matte=response.matte,
    )


def from_presets(response: pb.ListPresetsResponse) -> list[Preset]:
    """Read the list of presets."""
    return [
        Preset(
            name=preset.name,
            summary=preset.summary,
            source=preset.source,
            checked_on=preset.checked_on,
            rules=tuple(preset.rules),
        )
        for preset in response.presets
    ]


def _from_verdict(verdict: pb.Verdict) -> Verdict:
    return Verdict(
        preset=verdict.preset,
        complies=verdict.complies,
        checks=tuple(
            Check(
                rule=check.rule,
                required=check.importance == pb.IMPORTANCE_REQUIRED,
                passed=check.passed,
                measured=check.measured,
                at_least=check.at_least if check.HasField("at_least") else None,
                at_most=check.at_most if check.HasField("at_most") else None,
                unit=check.unit,
                explanation=check.explanation,
            )
            for check in verdict.checks
        ),
    )
