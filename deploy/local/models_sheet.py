"""The models' sheet: every photo's cut on white by each model, side by side."""

from collections.abc import Sequence
from pathlib import Path

from deploy.local.interrupt import check_interrupt
from deploy.local.photos import photos_in
from deploy.local.stack import running_aside
from packshot import Client
from tools.sheet import Tile, write_sheet


def write_models_sheet(photos: Path, out: Path) -> int:
    """Start the stack and set the cuts of every photo of a folder side by side.

    Args:
        photos: The folder; reference mattes, `NAME.matte.png`, are left out.
        out: Where the pictures, the sheet and the logs go.

    Returns:
        The exit status: 0 if everything was rendered, 1 if the folder holds no photo.

    Raises:
        PackshotError: A photo was not rendered.
    """
    sources = photos_in(photos)
    if not sources:
        print(f"error: {photos} holds no photo")
        return 1
    with running_aside(out) as stack, Client(stack.target) as client:
        sheet = cut_by_each_model(client, sources, out)
    print(f"all of them on one sheet: {sheet}")
    return 0


def cut_by_each_model(client: Client, photos: Sequence[Path], out: Path) -> Path:
    """Cut photos by each model that answers.

    Args:
        client: Of the service.
        photos: The photos.
        out: Where the pictures and the sheet go.

    Returns:
        The sheet: the photos in the first row, then a row for each model, with the time of its
        pass below each cut.

    Raises:
        PackshotError: A photo was not rendered.
    """
    rows = [[Tile(photo, photo.stem) for photo in photos]]
    for model in filter(lambda each: each.ready, client.models()):
        rows.append([])
        for photo in photos:
            check_interrupt()
            shot = client.render(photo, model=model.name, preset="amazon-main")
            path = out / f"{photo.stem}-{model.name}.jpg"
            shot.save(path)
            rows[-1].append(Tile(path, f"{model.name}, {shot.stages_s['infer'] * 1000:.0f} ms"))
    write_sheet(rows, out / "models.jpg", tile_px=360, gap_px=12, label_px=26)
    return out / "models.jpg"
