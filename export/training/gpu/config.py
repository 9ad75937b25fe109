"""Everything that decides what a run on a GPU does."""

from dataclasses import asdict, dataclass, field
from typing import Any

STUDIO = "studio"


@dataclass(frozen=True)
class DeviceScenes:
    """What pictures are made of; weights need not sum to 1, shares are in [0, 1]."""

    whole: float = 0.33  # whole photos with a teacher's mattes
    photos: dict[str, float] = field(
        default_factory=lambda: {"clothes": 0.42, "fashion": 0.28, "groceries": 0.2, "iconic": 0.1}
    )
    cutouts: dict[str, float] = field(
        default_factory=lambda: {
            "person": 0.05,
            "garment": 0.09,
            "iconic": 0.06,
            "render": 0.13,
            "emoji": 0.08,
            "modelled": 0.12,
            "shape": 0.05,
            "vehicle": 0.08,
            "animal": 0.07,
            "package": 0.08,
            "glass": 0.03,
            "jewel": 0.03,
            "furniture": 0.08,
            "flacon": 0.08,
            "ware": 0.12,
            "device": 0.11,
        }
    )
    grounds: dict[str, float] = field(
        default_factory=lambda: {
            STUDIO: 0.56,
            "groceries": 0.06,
            "clothes": 0.08,
            "landscapes": 0.1,
            "street": 0.08,
            "foliage": 0.1,
            "surface": 0.06,
        }
    )
    decoy: float = 0.1  # a pasted patch that is ground
    prop: float = (
        0.3  # a block, ball or panel, which is ground; of two half of it, of three a third
    )
    alike_prop: float = 0.5  # of props: in the ground's own colour
    bystander: float = 0.16  # a real object far out of focus behind, which is ground
    defocus: float = 0.22
    plinth: float = 0.2
    second: float = 0.16  # a second object, also foreground
    third: float = 0.05
    plain: float = 0.07  # the only object is such a block, ball or panel
    empty: float = 0.02
    retexture: float = 0.2  # a rendered object takes on a real texture
    harmonise: float = 0.4
    tone_on_tone: float = 0.12
    reflection: float = 0.12
    match_sharpness: float = 0.3
    cast: float = 0.5
    contact: float = 0.6
    behind: float = 0.15  # shadow on a wall
    jpeg: float = 0.4


@dataclass(frozen=True)
class DeviceConfig:
    """A run on a device, measured by the clock."""

    seconds: float = 330.0
    seed: int = 61
    network: str = "lite"
    start: str = "export/weights/matte.safetensors"
    packs: tuple[str, ...] = ("pack/pack_a", "pack/pack_b")
    device: str = "cuda"
    batch: int = 128
    sides: tuple[tuple[float, int], ...] = ((0.22, 256), (0.72, 320), (1.0, 384))  # until, side
    rate: float = 1.2e-3
    encoder_rate: float = 0.4  # share of the rate that the encoder learns at
    last_rate: float = 0.01
    warmup_steps: int = 80
    weight_decay: float = 0.02
    gradient_clip: float = 1.0
    average_decay: float = 0.9985
    side_weight: float = 0.2
    edge_weight: float = 3.0  # how much more a pixel near an edge counts
    frozen_statistics: bool = True  # the encoder's norms keep theirs, and fold into convolutions
    compiled: bool = False
    workers: int = 13
    room: int = 1500  # rendered objects of a kind in memory
    checkpoint_every_s: float = 20.0
    judge_every_s: float = 60.0
    judged_photos: int = 144
    judged_scenes: int = 96
    scenes: DeviceScenes = field(default_factory=DeviceScenes)

    def side_at(self, progress: float) -> int:
        """Give the side of pictures, pixels, at a point of the run in [0, 1]."""
        return next((side for until, side in self.sides if progress < until), self.sides[-1][1])

    def as_dict(self) -> dict[str, Any]:
        """Give plain data for records and cards."""
        return asdict(self)
