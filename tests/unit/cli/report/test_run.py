from collections.abc import Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from recommendation_cli.app import recs
from tests.support.fakes.recommendation_table import FakeDynamoDb, Item, item, runtime


def _report(*args: str | Path, table: list[Item]) -> Result:
    return CliRunner().invoke(recs, ["report", *map(str, args)], obj=runtime(FakeDynamoDb(table)))


@pytest.fixture
def output(tmp_path: Path) -> Iterator[Path]:
    """A file that does not exist yet; no temporary file may remain next to it."""
    yield tmp_path / "report.html"
    assert not (tmp_path / "report.html.new").exists()


def test_the_page_is_one_file_that_the_next_run_replaces(output: Path) -> None:
    """The same page can go to standard output."""
    for _ in range(2):
        result = _report("incident-7", "-o", output, table=[item()])
        assert result.exit_code == 0
        assert f"Wrote {output}, " in result.stderr
    assert output.read_text().startswith("<!doctype html>")
    assert _report("incident-7", "-o", "-", table=[item()]).stdout == output.read_text()


def test_a_failure_leaves_an_existing_file_alone(output: Path) -> None:
    """It exits with 1 if nothing was found, and with 2 for a file that cannot be written."""
    output.write_text("mine")
    assert _report("incident-8", "-o", output, table=[]).exit_code == 1
    assert output.read_text() == "mine"
    assert _report("incident-7", "-o", output / "no", table=[item()]).exit_code == 2
    assert _report("incident-7", table=[item()]).exit_code == 2
    assert "Examples:\n    recs report " in _report("-h", table=[]).stdout


def test_a_narrowed_page_says_so(tmp_path: Path) -> None:
    """Part of an incident cannot be mistaken for all of it."""
    page = tmp_path / "report.html"
    client = FakeDynamoDb([item(), item("knowledge-rag", reasoning="left out")])
    args = ["report", "incident-7", "-o", str(page), "--agent", "consensus", "--since", "2026-01-31"]
    assert CliRunner().invoke(recs, args, obj=runtime(client)).exit_code == 0
    text = page.read_text()
    assert "Not the whole incident: only agent consensus; since 2026-01-31 00:00:00 UTC." in text
    assert "left out" not in text
