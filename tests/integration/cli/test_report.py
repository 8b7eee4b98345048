"""The page of `recs report` in a real browser, with hostile content. Skipped without Chromium, except in CI."""

import re
import subprocess
from datetime import timedelta
from html import escape
from pathlib import Path

import pytest

from recommendation_cli.report.page import report_page
from recommendation_cli.timeline.executions import group_by_execution
from recommendation_shared.item.encoding import decode_item
from tests.support.browser import CHROMIUM, needs_chromium
from tests.support.fakes.recommendation_table import NOW, item

ATTACKS = (
    "<script>document.title='owned'</script>",
    "<img src=x onerror=\"document.title='owned'\">",
    "</style></pre></svg><svg onload=\"document.title='owned'\">",
    '"><iframe srcdoc="<script>parent.document.title=\'owned\'</script>">',
    "\u202e" + "x" * 100_000,
)

# Seconds. Words of 100 KB take Chromium 6 s of CPU to print, most of it to start and to balance columns; on a machine
# with ten times as much to do, a minute.
HANGS = 120

pytestmark = [pytest.mark.timeout(2 * HANGS + 60), needs_chromium]


def _browse(page: Path, profile: Path, *flags: str) -> str:
    command = [
        str(CHROMIUM), "--headless", "--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-sync",
        "--disable-background-networking", "--disable-component-update", "--enable-logging=stderr",
        f"--user-data-dir={profile}", *flags, page.as_uri(),
    ]  # fmt: skip
    done = subprocess.run(command, capture_output=True, text=True, check=True, timeout=HANGS)
    return done.stdout + "\n".join(line for line in done.stderr.splitlines() if "CONSOLE" in line)


@pytest.fixture
def page(tmp_path: Path) -> Path:
    """A page in which every field is an attack."""
    table = [
        item(
            f"agent-{number}",
            age=timedelta(seconds=number),
            recommendation={attack: attack},
            reasoning=attack,
            citations=[{"title": attack, "url": "javascript:document.title='owned'"}, {attack: attack}],
            metadata={"status": attack, "error": attack},
        )
        for number, attack in enumerate(ATTACKS)
    ]
    file = tmp_path / "report.html"
    file.write_text(report_page(ATTACKS[0], group_by_execution(map(decode_item, table)), "table t", NOW.timestamp()))
    return file


def test_no_content_runs(page: Path, tmp_path: Path) -> None:
    """The browser reports whatever the policy blocks; it has nothing to block, the page's style included."""
    shown = _browse(page, tmp_path / "profile", "--dump-dom")
    assert "<title>Agent recommendations: &lt;script&gt;" in shown
    assert "CONSOLE" not in shown
    assert "<iframe" not in shown
    assert "<script" not in shown


def test_the_page_renders(page: Path, tmp_path: Path) -> None:
    """Words of 100 KB without a space do not break the layout engine."""
    picture = tmp_path / "page.png"
    _browse(page, tmp_path / "profile", "--window-size=500,2000", f"--screenshot={picture}")
    assert picture.stat().st_size > 10_000


def test_the_page_prints(page: Path, tmp_path: Path) -> None:
    """Fields that are longer than a sheet of paper continue on the next one."""
    paper = tmp_path / "page.pdf"
    _browse(page, tmp_path / "profile", f"--print-to-pdf={paper}")
    assert paper.read_bytes().startswith(b"%PDF")


def _pages(page: Path, folder: Path) -> int:
    paper = folder / "page.pdf"
    _browse(page, folder / "profile", f"--print-to-pdf={paper}")
    return len(re.findall(rb"/Type\s*/Page\b", paper.read_bytes()))


def test_what_is_folded_stays_off_the_paper_unless_it_is_asked_for(tmp_path: Path) -> None:
    """Two thousand lines of evidence do not hide what the agents said; `--full` prints them all."""
    steps = [f"step {number}" for number in range(2_000)]
    folded = item(recommendation={"plan": {"of": {"many": {"steps": steps}}}}, metadata={"status": "SUCCESS"})
    executions = group_by_execution([decode_item(folded)])
    page = tmp_path / "report.html"
    page.write_text(report_page("incident-7", executions, "table t", NOW.timestamp()))
    assert _pages(page, tmp_path) <= 2
    page.write_text(report_page("incident-7", executions, "table t", NOW.timestamp(), full=True))
    assert _pages(page, tmp_path) > 20


def test_an_execution_takes_about_a_page_of_paper(tmp_path: Path) -> None:
    """Ten executions of seven agents fit on a page each, and one more for their summary."""
    said = {"recommended_action": "replace-disk", "suspected_cause": "bad-disk", "severity": "critical"}
    table = [
        item(
            f"agent-{second}",
            age=timedelta(hours=number, seconds=second),
            execution_id=f"execution-{number}",
            recommendation={**said, "evidence": list(range(1_000))},
            reasoning="The disk fails now and then, which the logs show clearly. " * 5,
        )
        for number in range(10)
        for second in range(7)
    ]
    page = tmp_path / "report.html"
    page.write_text(report_page("i", group_by_execution(map(decode_item, table)), "table t", NOW.timestamp()))
    assert _pages(page, tmp_path) <= 12


def test_the_page_is_as_wide_as_the_window(page: Path, tmp_path: Path) -> None:
    """Nobody scrolls sideways, on a phone either: the content of a frame is no wider than the frame."""
    widths = (390, 1000)
    content = escape(page.read_text())
    frames = "".join(
        f'<iframe srcdoc="{content}" width="{width}" height="900" style="border:0"></iframe>' for width in widths
    )
    file = tmp_path / "frames.html"
    file.write_text(
        f"{frames}<script>onload = () => {{ document.title = Array.from(document.querySelectorAll('iframe'),"
        " frame => frame.contentDocument.documentElement.scrollWidth).join(' '); }</script>"
    )
    shown = _browse(file, tmp_path / "profile", "--dump-dom", "--window-size=1200,1000")
    measured = re.search(r"<title>(\d+) (\d+)</title>", shown)
    assert measured is not None
    assert all(int(needed) <= width for needed, width in zip(measured.groups(), widths, strict=True))
