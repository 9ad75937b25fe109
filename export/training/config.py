"""Everything that decides what a training run does, in one place."""

from dataclasses import asdict, dataclass, field, replace
from typing import Any

MODELLED_WEIGHT = 0.2  # of modelled objects among cutouts, whose weights sum to about one
STUDIO = "studio"  # grounds that are rendered: plain, graded, softly cluttered


@dataclass(frozen=True)
class Stage:
    """A stretch of training at one size. Small pictures first: they cost little and teach much."""

    until: float  # share of the run at which the stage ends, in (0, 1]
    side: int  # pixels, divisible by 16
    batch: int  # pictures a step


@dataclass(frozen=True)
class SceneConfig:
    """What the training pictures are made of; weights need not sum to 1."""

    masked_share: float = 0.15  # whole photos with their own mask; the rest are composed scenes
    cutouts: dict[str, float] = field(
        default_factory=lambda: {
            "person": 0.06,
            "garment": 0.12,
            "render": 0.20,
            "iconic": 0.05,
            "emoji": 0.19,
            "shape": 0.10,
            "vehicle": 0.11,
            "animal": 0.09,
            "package": 0.07,
            "glass": 0.02,
            "jewel": 0.02,
            "furniture": 0.08,
            "flacon": 0.08,
        }
    )
    backgrounds: dict[str, float] = field(
        default_factory=lambda: {
            "groceries": 0.08,
            "clothes": 0.12,
            "landscapes": 0.16,
            "street": 0.10,
            "foliage": 0.18,
            STUDIO: 0.36,
        }
    )
    second_object: float = 0.15  # chance of a second object, also foreground
    decoy: float = 0.15  # chance of a pasted patch that is background
    retexture: float = 0.35  # chance that a rendered or drawn object takes on a real texture
    retexture_modelled: float = 0.5  # the same for vehicles, animals and packages
    tone_on_tone: float = 0.1  # chance of white on white, grey on grey, black on black
    reflection: float = 0.08  # chance that the ground mirrors what stands on it
    match_sharpness: float = 0.3  # chance that an object is no sharper than its ground
    defocus: float = 0.2  # chance that the ground lies out of focus
    shadow: float = 0.55
    plinth: float = 0.18  # chance that an object stands on a plinth or a block, which is ground
    prop: float = 0.25  # chance of a studio's block, ball or panel, which is ground; of two, half
    plain: float = 0.08  # chance that the only object is such a block, ball or panel
    empty: float = 0.03  # chance of a scene without an object
    harmonise: float = 0.5  # chance that an object's colours move towards its background's


@dataclass(frozen=True)
class TrainingConfig:
    """A whole training run. Two runs of one configuration see the same pictures."""

    seed: int = 20
    network: str = "matte"  # of export.networks.registry
    encoder: str = ""  # file of published weights that the encoder of "lite" begins with
    frozen_blocks: int = 0  # first blocks of the encoder that learn nothing
    start: str = ""  # file of weights to begin with, as a run's best; empty: random ones
    teacher: str = ""  # file of weights that mask photos without masks; empty: they stay grounds
    mattes: str = ""  # folder of a teacher's mattes of the training photos; empty: none is asked
    objects: str = ""  # folder of modelled objects with alpha, as Fluent Emoji in 3D; empty: none
    steps: int = 3000  # length of the run, unless minutes are given
    minutes: float | None = None  # length of the run by the clock, whatever steps that allows
    stages: tuple[Stage, ...] = (
        Stage(until=0.45, side=128, batch=20),
        Stage(until=0.8, side=192, batch=14),
        Stage(until=0.93, side=256, batch=10),
        Stage(until=1.0, side=320, batch=8),
    )
    scene: SceneConfig = field(default_factory=SceneConfig)
    photo_side: int = 320  # pixels at which whole photos are kept in memory, squashed to a square
    cutout_side: int = 256  # pixels at which cutouts are kept in memory
    drawn_shapes: int = 700  # thin and holed shapes drawn at the start
    rendered_objects: int = 300  # of each kind, rendered at the start
    drawn_grounds: int = 300  # of foliage, drawn at the start
    peak_rate: float = 1.6e-3  # AdamW
    encoder_rate: float = 1.0  # share of the rate that an encoder learns at
    last_rate: float = 0.01  # share of the peak that is left at the end
    warmup_steps: int = 100
    weight_decay: float = 0.03
    gradient_clip: float = 1.0  # largest norm of a step's gradient
    average_decay: float = 0.995  # of the running average of the weights, which is what is kept
    side_weight: float = 0.25  # of each coarse output's loss
    validate_every_steps: int = 250
    checkpoint_every_s: float = 120.0
    device: str = "cpu"
    mixed_precision: bool = False  # bfloat16 where it does no harm; fast on a GPU or a CPU with AMX
    workers: int = 2  # threads that share each batch; 1 on a GPU

    def going_on_from(self, start: str) -> "TrainingConfig":
        """Give the run that goes on from another's weights: large pictures only, half the rate.

        The rate stays high to the end and the average reaches far back: what a run learns last, at
        small rates, fits its own pictures best and others worse (Cha et al.: SWAD, NeurIPS 2021).
        """
        return replace(
            self,
            start=start,
            stages=(Stage(until=0.5, side=256, batch=10), Stage(until=1.0, side=320, batch=8)),
            peak_rate=self.peak_rate / 2,
            last_rate=0.3,
            average_decay=0.999,
        )

    def with_encoder(self, encoder: str) -> "TrainingConfig":
        """Give the run of the lite network that begins with a published encoder.

        Its first blocks, which see edges and textures, and the statistics of its norms stay as
        ImageNet made them; the others learn at a quarter of the rate.
        """
        return replace(
            self,
            network="lite",
            encoder=encoder,
            frozen_blocks=3,
            encoder_rate=0.3,
            stages=(
                Stage(until=0.42, side=192, batch=12),
                Stage(until=0.84, side=256, batch=12),
                Stage(until=1.0, side=320, batch=8),
            ),
            peak_rate=1.2e-3,
            last_rate=0.05,
            validate_every_steps=150,
            average_decay=0.998,
        )

    def with_mattes(self, mattes: str) -> "TrainingConfig":
        """Give the run that also learns from a teacher's mattes: more whole photos."""
        return replace(self, mattes=mattes, scene=replace(self.scene, masked_share=0.3))

    def with_objects(self, objects: str) -> "TrainingConfig":
        """Give the run that also pastes a folder's modelled objects."""
        cutouts = self.scene.cutouts | {"modelled": MODELLED_WEIGHT}
        return replace(self, objects=objects, scene=replace(self.scene, cutouts=cutouts))

    def progress(self, step: int, trained_s: float) -> float:
        """Say how much of the run is done, in [0, 1]."""
        if self.minutes is None:
            return min(step / self.steps, 1.0)
        return min(trained_s / (60 * self.minutes), 1.0)

    def stage_at(self, progress: float) -> Stage:
        """Give the stage that a point of the run belongs to."""
        return next((stage for stage in self.stages if progress < stage.until), self.stages[-1])

    def as_dict(self) -> dict[str, Any]:
        """Give plain data for checkpoints and model cards."""
        return asdict(self)
