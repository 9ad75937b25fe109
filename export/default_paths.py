"""The default paths that the commands read and write."""

from pathlib import Path

PICTURES = Path("../shared/training")
PHOTOS = Path("../shared/photos")
RUN = Path("build/training")
REPOSITORY = Path("model_repository")
DOWNLOADS = Path("build/models")
SAMPLES = Path("samples")
MODEL = REPOSITORY / "matte/1/model.onnx"
WEIGHTS = Path(__file__).parent / "weights"
