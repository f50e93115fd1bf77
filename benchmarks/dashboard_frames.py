"""How many pictures a second the dashboard shows in a browser, and what a deed takes.

python benchmarks/dashboard_frames.py [--side 316] [--picture FILE.png]

Needs the extra `browser` and Chromium. Plays the main job for twenty seconds, counts the pictures that the browser has
drawn, then gives a drug; --picture keeps what the page looks like then.
"""

import argparse
import shutil
import subprocess
import sys
import time
from pathlib import Path

from playwright.sync_api import Page, sync_playwright

SCENARIO = Path(__file__).parent.parent / "scenarios" / "therapy" / "calr_car_t.yaml"
PROGRAM = [sys.executable, "-m", "mpn_abm.cli.main", "dashboard", str(SCENARIO), "--port", "0", "--no-browser"]
SECONDS = 20.0
# counted once it is on the screen, not when it arrives
COUNT = """() => {
  window.shown = 0;
  const count = () => requestAnimationFrame(() => { window.shown += 1; });
  const image = document.querySelector('img.marrow');
  new MutationObserver(() => image.decode().then(count, () => {})).observe(image, {attributeFilter: ['src']});
}"""


def frames_per_second(page: Page) -> float:
    page.evaluate(COUNT)
    page.get_by_role("button", name="▶").click()
    page.wait_for_timeout(1000)
    before, start = page.evaluate("window.shown"), time.perf_counter()
    page.wait_for_timeout(1000 * SECONDS)
    rate = (page.evaluate("window.shown") - before) / (time.perf_counter() - start)
    page.get_by_role("button", name="❚❚").click()
    page.wait_for_timeout(1000)
    return float(rate)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--side", type=int, default=316)
    parser.add_argument("--picture", type=Path)
    asked = parser.parse_args()
    words = [*PROGRAM, "--set", f"marrow.shape=[{asked.side}, {asked.side}]"]
    with subprocess.Popen(words, stdout=subprocess.PIPE, text=True) as server, sync_playwright() as playwright:
        assert server.stdout is not None
        url = server.stdout.readline().split()[1]
        browser = playwright.chromium.launch(executable_path=shutil.which("chromium"), args=["--no-sandbox"])
        page = browser.new_page(viewport={"width": 1500, "height": 1180})
        start = time.perf_counter()
        page.goto(url)
        page.wait_for_selector("img.marrow", timeout=120_000)
        print(f"first picture after {time.perf_counter() - start:.1f} s")
        print(f"{frames_per_second(page):.1f} pictures a second, {asked.side} x {asked.side} sites, 3 days each")
        print(page.locator(".headline").inner_text())
        start = time.perf_counter()
        page.get_by_role("button", name="Give", exact=True).click()
        page.wait_for_selector(".deeds li", timeout=120_000)
        print(f"a drug is given within {time.perf_counter() - start:.1f} s")
        if asked.picture is not None:
            for _ in range(12):
                page.get_by_role("button", name="Step", exact=True).click()
            page.wait_for_timeout(2000)
            page.screenshot(path=asked.picture)
        page.goto("about:blank")
        server.terminate()


if __name__ == "__main__":
    main()
