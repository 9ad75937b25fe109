"""`python -m deploy.local.page_pictures`: take the README's pictures of the page, by Chromium."""

import sys
from io import BytesIO
from pathlib import Path
from typing import Final

from PIL import Image
from playwright.sync_api import Browser, sync_playwright

from deploy.local.stack import running_aside
from processes.ready import ProcessError

_CHROMIUM: Final = "/usr/bin/chromium"
_OUT: Final = Path("docs/images")
_PHOTOS: Final = [f"samples/{name}.jpg" for name in ("camera", "mug", "headphones")]
# Name, width, height, colours, and whether all of a page is shown that is longer.
_SHOTS: Final = (
    ("page", 1280, 760, "light", True),
    ("page-dark", 1280, 860, "dark", False),
    ("page-phone", 390, 844, "light", False),
)


def main() -> int:
    """Take the pictures; returns the exit status."""
    try:
        with running_aside(Path("out/page"), web=True) as stack, sync_playwright() as playwright:
            browser = playwright.chromium.launch(executable_path=_CHROMIUM)
            for name, width, height, scheme, whole in _SHOTS:
                shot = _shot(browser, stack.page, (width, height), scheme, whole=whole)
                path = _OUT / f"{name}.png"
                # A palette is a third of the bytes, and nobody sees the difference.
                Image.open(BytesIO(shot)).convert("RGB").quantize(
                    256, Image.Quantize.MEDIANCUT, dither=Image.Dither.NONE
                ).save(path, optimize=True)
                print(f"{path}: {path.stat().st_size // 1000} kB")
            browser.close()
    except ProcessError as exc:
        print(f"error: {exc}", file=sys.stderr)
        return 1
    return 0


def _shot(browser: Browser, url: str, size: tuple[int, int], scheme: str, *, whole: bool) -> bytes:
    context = browser.new_context(
        viewport={"width": size[0], "height": size[1]},
        color_scheme="dark" if scheme == "dark" else "light",
    )
    page = context.new_page()
    page.goto(url)
    page.wait_for_selector("html[data-ready]")
    page.select_option("select[name=preset]", "amazon-main")
    page.set_input_files("#files", _PHOTOS)
    page.wait_for_function(
        "(count) => document.querySelector('#progress').value === count", arg=len(_PHOTOS)
    )
    page.wait_for_selector("#stage[data-state=done]")
    shot = page.screenshot(full_page=whole, animations="disabled")
    context.close()
    return shot


if __name__ == "__main__":
    sys.exit(main())
