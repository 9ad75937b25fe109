"""The page in a real browser: drop, look, compare, judge, download."""

import subprocess
import sys
from base64 import b64encode
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from tests.integration.processes import ROOT, Triton
from tests.integration.stack.conftest import FaceProcess, launch_face, launch_gateway
from tests.support.accounts import books_at

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

CHROMIUM = Path("/usr/bin/chromium")
MUG, CAMERA = ROOT / "samples" / "mug.jpg", ROOT / "samples" / "camera.jpg"
AXE = ROOT / "node_modules" / "axe-core" / "axe.min.js"
DROP = """([stage, name, text]) => {
  const bytes = Uint8Array.from(atob(text), (char) => char.charCodeAt(0));
  const data = new DataTransfer();
  data.items.add(new File([bytes], name));
  document.querySelector(stage).dispatchEvent(
    new DragEvent("drop", { bubbles: true, cancelable: true, dataTransfer: data }));
}"""
PASTE = (
    DROP.replace("DragEvent", "ClipboardEvent")
    .replace('"drop"', '"paste"')
    .replace("dataTransfer: data", "clipboardData: data")
)


@pytest.fixture(scope="module")
def browser() -> "Iterator[Browser]":
    api = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
    if not CHROMIUM.exists():
        pytest.skip(f"{CHROMIUM} is missing: Debian's package is chromium")
    with api.sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=str(CHROMIUM))
        yield chromium
        chromium.close()


class Visit:
    """A page that is open, and what went on behind it."""

    def __init__(self, browser: "Browser", face: FaceProcess, **options: Any) -> None:
        self.context = browser.new_context(viewport={"width": 1280, "height": 900}, **options)
        self.page: Page = self.context.new_page()
        self.page.set_default_timeout(30_000)
        self.faults: list[str] = []
        self.hosts: set[str] = set()
        self.page.on("pageerror", lambda error: self.faults.append(str(error)))
        self.page.on("console", self._note)
        self.posts = 0
        self.page.on("request", self._count)
        self.page.goto(face.url)
        self.page.wait_for_selector("html[data-ready]")

    def _note(self, message: Any) -> None:
        # That a request was answered with 400 is the page's business, which shows why.
        if message.type == "error" and "Failed to load resource" not in message.text:
            self.faults.append(message.text)

    def _count(self, request: Any) -> None:
        self.hosts.add(request.url)
        self.posts += request.method == "POST"

    def drop(self, photo: Path, script: str = DROP) -> None:
        text = b64encode(photo.read_bytes()).decode()
        self.page.evaluate(script, ["#stage", photo.name, text])

    def wait_done(self, name: str) -> None:
        self.page.wait_for_function(
            "(name) => document.querySelector('#stage').dataset.state === 'done' && "
            "document.querySelector('#status').textContent.startsWith(`${name} was rendered`)",
            arg=name,
        )


@pytest.fixture
def visit(browser: "Browser", face: FaceProcess) -> Iterator[Visit]:
    visit = Visit(browser, face)
    yield visit
    assert visit.faults == []
    assert {url for url in visit.hosts if not url.startswith((face.url, "blob:"))} == set()
    visit.context.close()


def at(page: "Page") -> float:
    """Where the line between photo and packshot is, a share of the width."""
    return float(
        page.evaluate(
            "() => { const box = (e) => document.querySelector(e).getBoundingClientRect();"
            " return (box('.line').left + 1.5 - box('#compare').left) / box('#compare').width; }"
        )
    )


def test_a_photo_is_dropped_compared_judged_and_downloaded(
    visit: Visit, face: FaceProcess, tmp_path: Path
) -> None:
    page = visit.page
    visit.drop(MUG)
    visit.wait_done("mug.jpg")
    assert page.eval_on_selector("#result", "(image) => image.naturalWidth") == 1200
    assert at(page) == pytest.approx(0.5, abs=0.01)
    slider = page.get_by_role("slider", name="How much of the photo")
    slider.focus()
    page.keyboard.press("Home")
    assert at(page) == pytest.approx(0, abs=0.01)
    box = page.locator("#compare").bounding_box()
    assert box
    page.mouse.click(box["x"] + 0.75 * box["width"], box["y"] + 100)
    assert at(page) == pytest.approx(0.75, abs=0.02)

    page.select_option("select[name=preset]", "amazon-main")
    page.wait_for_selector("#verdict:not([hidden])")
    visit.wait_done("mug.jpg")
    assert page.locator("#verdict-summary").inner_text() == "Does not comply with amazon-main"
    rules = page.locator("#checks li").all_inner_texts()
    assert any("fill" in rule and "at least 85" in rule and "Kept" in rule for rule in rules)
    assert any("longest side" in rule and "835 px" in rule and "Broken" in rule for rule in rules)
    stages = page.locator("#times th").all_inner_texts()
    assert {"decode", "infer", "encode", "total"} <= set(stages)

    with page.expect_download() as download:
        page.get_by_role("link", name="Download").click()
    assert download.value.suggested_filename == "mug-packshot.jpg"
    packshot = str(Path(sys.executable).parent / "packshot")
    mine = tmp_path / "mug.jpg"
    subprocess.run(
        [packshot, "--target", face.target, "render", MUG, "-o", mine, "--preset", "amazon-main"],
        check=True,
        capture_output=True,
        timeout=60,
    )
    assert Path(download.value.path()).read_bytes() == mine.read_bytes()


def test_a_file_that_is_no_photo_says_why_and_stops_no_other(visit: Visit) -> None:
    page = visit.page
    page.set_input_files("#files", [ROOT / "README.md", MUG, CAMERA])
    page.wait_for_function("() => document.querySelector('#progress').value === 3")
    alert = page.get_by_role("alert")
    assert "not a picture of an accepted format" in alert.inner_text()
    states = page.locator("#queue .state").all_inner_texts()
    assert states == ["failed", "done", "done"]
    # By the keyboard alone to the third photo.
    page.get_by_role("button", name="camera.jpg").focus()
    page.keyboard.press("Enter")
    visit.wait_done("camera.jpg")
    assert not alert.is_visible()


def test_a_look_is_chosen_and_a_photo_pasted(visit: Visit) -> None:
    page = visit.page
    page.select_option("select[name=background]", "transparent")
    page.select_option("select[name=frame]", "crop")
    visit.drop(MUG, PASTE)
    visit.wait_done("mug.jpg")
    # Timers fire in order: this one later than the one by which the page follows its controls.
    page.evaluate("() => new Promise((resolve) => setTimeout(resolve, 301))")
    assert visit.posts == 1  # the look was chosen before the photo came
    assert page.eval_on_selector("#compare", "(e) => e.classList.contains('alpha')")
    with page.expect_download() as download:
        page.get_by_role("link", name="Download").click()
    assert Path(download.value.path()).read_bytes().startswith(b"\x89PNG")
    page.select_option("select[name=background]", "scene:marble")
    page.select_option("select[name=frame]", "square")
    page.get_by_label("Width, px").fill("400")
    page.wait_for_function("() => document.querySelector('#result').naturalWidth === 400")


def test_a_key_is_asked_for_where_accounts_are_kept(
    browser: "Browser", triton: Triton, tmp_path: Path
) -> None:
    url = f"sqlite:///{tmp_path}/accounts.db"
    with books_at(url) as books:
        key = books.issue(1)
        gateway = launch_gateway(triton, tmp_path / "gateway.log", {"PACKSHOT_ACCOUNTS": url})
        face = launch_face(gateway.target, tmp_path / "web.log")
        with gateway.process, face.process:
            gateway.process.wait_until(gateway.is_ready)
            face.process.wait_until(face.is_ready)
            visit = Visit(browser, face)
            page = visit.page
            assert page.locator("#status").inner_text() == "The service wants an API key."
            field = page.get_by_label("Key, where the service keeps accounts")
            field.fill(key)
            field.press("Tab")
            page.wait_for_selector("select[name=preset] option[value=ebay]", state="attached")
            visit.drop(MUG)
            visit.wait_done("mug.jpg")
            assert books.figures(key) == (0, 0, 1)
            # The next one is not paid for, and says so.
            page.select_option("select[name=background]", "blur")
            page.wait_for_selector("#stage[data-state=failed]")
            assert "credit" in page.get_by_role("alert").inner_text()
            assert visit.faults == []
            visit.context.close()
        assert key not in face.process.log


@pytest.mark.parametrize(("scheme", "width"), [("light", 1280), ("dark", 390)])
def test_axe_finds_no_serious_barrier(
    browser: "Browser", face: FaceProcess, scheme: str, width: int
) -> None:
    if not AXE.exists():
        pytest.skip("axe-core is missing: `make setup-buf` installs it, by npm")
    # axe runs as a script of its own, which the page's policy is there to forbid.
    visit = Visit(browser, face, color_scheme=scheme, bypass_csp=True)
    page = visit.page
    page.set_viewport_size({"width": width, "height": 844})
    for photos in ([], [MUG, ROOT / "README.md"]):
        if photos:
            page.set_input_files("#files", photos)
            page.select_option("select[name=preset]", "amazon-main")
            page.wait_for_selector("#verdict:not([hidden])")
            page.wait_for_function("() => document.querySelector('#progress').value === 2")
        page.add_script_tag(path=AXE)
        found = page.evaluate("() => axe.run()")
        serious = [
            (each["id"], each["impact"], [node["target"] for node in each["nodes"]])
            for each in found["violations"]
            if each["impact"] in {"serious", "critical"}
        ]
        assert serious == []
        assert len(found["passes"]) > 15
        # Nothing hangs over the phone's edge.
        assert page.evaluate("() => document.documentElement.scrollWidth") <= width
    visit.context.close()
