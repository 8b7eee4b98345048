"""docs/archive.md: the DuckDB query reads files as the keeper writes them."""

import re
from datetime import timedelta
from pathlib import Path

import duckdb
import pytest

from infra.paths import ROOT
from recommendation_consumer.keeper.archive import archive_files
from recommendation_consumer.keeper.change import read_changes
from tests.support.lambdas.event import COMPLETED
from tests.support.lambdas.stream_event import expired, stored, stream_event

PAGE = (ROOT / "docs" / "archive.md").read_text()


@pytest.fixture
def archive(tmp_path: Path) -> Path:
    """A copy of an archive: two days of one incident, a day that is not asked for, and another incident."""
    items = [
        stored("consensus", metadata={"status": "SUCCESS"}),
        # Other types than in the first document: DuckDB must not infer them.
        stored("no-action", timestamp=COMPLETED - timedelta(days=1), recommendation={"action": {"kind": "wait"}}),
        stored("no-confidence", confidence=None, recommendation={"steps": [1, 2.5]}, reasoning="line\nbreak"),
        stored("too-early", timestamp=COMPLETED - timedelta(days=2)),
        stored("another", incident_id="incident-7"),
    ]
    changes = read_changes(stream_event(*(expired(item, number) for number, item in enumerate(items))))
    # The second delivery of a batch, divided differently, leaves a document in two files.
    for file in [*archive_files(changes), *archive_files(changes[2:])]:
        path = tmp_path / file.key
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(file.body)
    return tmp_path


def test_duckdb_query_of_the_page_finds_each_recommendation_once(
    archive: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Values of every type, from the folders of the days asked for."""
    monkeypatch.chdir(archive)
    (query,) = re.findall(r"## DuckDB\n.*?```sql\n(.*?)```", PAGE, re.DOTALL)
    assert duckdb.connect().execute(query).fetchall() == [
        ("2026-01-30T12:00:00.000000Z", "no-action", 0.87, '{"kind":"wait"}', None),
        ("2026-01-31T12:00:00.000000Z", "consensus", 0.87, "roll back", "SUCCESS"),
        ("2026-01-31T12:00:00.000000Z", "no-confidence", None, None, None),
    ]
