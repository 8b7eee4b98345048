"""The page of `recs report` in a real browser, with hostile content. Skipped where Chromium is not installed."""

import re
import shutil
import subprocess
from datetime import timedelta
from pathlib import Path

import pytest

from recommendation_cli.report.page import report_page
from recommendation_cli.timeline.executions import group_by_execution
from recommendation_shared.item.encoding import decode_item
from tests.support.fakes.recommendation_table import NOW, item

CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
ATTACKS = (
    "<script>document.title='owned'</script>",
    "<img src=x onerror=\"document.title='owned'\">",
    "</style></pre></svg><svg onload=\"document.title='owned'\">",
    '"><iframe srcdoc="<script>parent.document.title=\'owned\'</script>">',
    "\u202e" + "x" * 100_000,
)

# `make test` must not install system packages, and a browser is one; tests/unit/cli/report covers the rest.
pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="Chromium is not installed: apt-get install chromium")


def _browse(page: Path, profile: Path, *flags: str) -> str:
    command = [
        str(CHROMIUM), "--headless", "--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-sync",
        "--disable-background-networking", "--disable-component-update", "--enable-logging=stderr",
        f"--user-data-dir={profile}", *flags, page.as_uri(),
    ]  # fmt: skip
    done = subprocess.run(command, capture_output=True, text=True, check=True, timeout=60)
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


@pytest.mark.parametrize("width", [1000, 500])
def test_the_page_renders_and_prints(page: Path, tmp_path: Path, width: int) -> None:
    """Words of 100 KB without a space do not break the layout engine."""
    picture, paper = tmp_path / "page.png", tmp_path / "page.pdf"
    _browse(page, tmp_path / "profile", f"--window-size={width},2000", f"--screenshot={picture}")
    _browse(page, tmp_path / "profile", f"--print-to-pdf={paper}")
    assert picture.stat().st_size > 10_000
    assert paper.read_bytes().startswith(b"%PDF")


def test_folded_values_are_printed_in_full(tmp_path: Path) -> None:
    """Paper cannot be unfolded: two thousand folded lines print as many pages."""
    steps = [f"step {number}" for number in range(2_000)]
    folded = item(recommendation={"plan": {"of": {"many": {"steps": steps}}}}, metadata={"status": "SUCCESS"})
    page, paper = tmp_path / "report.html", tmp_path / "page.pdf"
    page.write_text(report_page("incident-7", group_by_execution([decode_item(folded)]), "table t", NOW.timestamp()))
    assert "<details>" in page.read_text()
    _browse(page, tmp_path / "profile", f"--print-to-pdf={paper}")
    assert len(re.findall(rb"/Type\s*/Page\b", paper.read_bytes())) > 20
