"""`recs erase` in the archive: which files are read, rewritten or left."""

import gzip
from pathlib import Path
from typing import Final

from tests.support.fakes.erasable_account import (
    BUCKET,
    INCIDENT,
    OTHER_FILE,
    OWN_FILE,
    SHARED_FILE,
    Account,
)
from tests.support.fakes.recommendation_table import item, items

ERASE: Final = ("erase", INCIDENT, "--archive-bucket", BUCKET, "--reason", "r", "--confirm", INCIDENT)


def test_period_narrows_which_files_are_read(account: Account, tmp_path: Path) -> None:
    """Both days are included. What lies outside is not looked at."""
    result = account.run(tmp_path, *ERASE, "--archive-until", "2026-01-30")
    assert (result.exit_code, "2 archived lines" in result.stdout) == (0, True)
    assert account.bucket.files.keys() == {SHARED_FILE, OWN_FILE, OTHER_FILE}
    result = account.run(tmp_path, *ERASE, "--archive-since", "2026-01-31")
    assert (result.exit_code, "1 archived line" in result.stdout) == (0, True)
    assert account.bucket.files.keys() == {SHARED_FILE, OTHER_FILE}


def test_files_without_the_incident_are_read_once(account: Account, tmp_path: Path) -> None:
    """Three sweeps of an archive of many years would otherwise read all of it three times."""
    account.run(tmp_path, *ERASE)
    reads = account.calls.count("get_object")
    assert reads == 3 + 2 + 1  # all to count; two to rewrite; what remains of the shared one


def test_file_that_the_keeper_replaces_meanwhile_keeps_its_new_lines(account: Account, tmp_path: Path) -> None:
    """Otherwise a rewrite would delete what the keeper has just archived of other incidents."""
    new = item(incident_id="incident-9", execution_id="new")

    def replace(key: str) -> None:
        if key == OWN_FILE and not replaced:
            replaced.append(key)
            account.bucket.put_lines(key, [*items(1, execution_id="execution-0"), new])

    replaced: list[str] = []
    account.bucket.before_write = replace
    assert account.run(tmp_path, *ERASE).exit_code == 0
    assert b"incident-9" in gzip.decompress(account.bucket.files[OWN_FILE])
    assert b'"incident-7"' not in gzip.decompress(account.bucket.files[OWN_FILE])


def test_file_that_somebody_deletes_meanwhile_is_gone(account: Account, tmp_path: Path) -> None:
    """It is not written again, and nothing fails."""

    def delete(key: str) -> None:
        account.bucket.files.pop(key, None)

    account.bucket.before_write = delete
    result = account.run(tmp_path, *ERASE)
    assert result.exit_code == 0, result.output
    assert account.bucket.files.keys() == {OTHER_FILE}


def test_files_that_cannot_be_read_are_left_and_named(account: Account, tmp_path: Path) -> None:
    """One is in Glacier, and one is not a whole file; the others are rewritten."""
    account.bucket.frozen.add(OWN_FILE)
    account.bucket.files[OTHER_FILE] = account.bucket.files[OTHER_FILE][:-9]
    result = account.run(tmp_path, *ERASE)
    assert result.exit_code == 4
    assert f"{OWN_FILE}: it is in a storage class such as Glacier" in result.stderr
    assert f"{OTHER_FILE}: it is not a whole gzip file" in result.stderr
    assert b"incident-7" not in gzip.decompress(account.bucket.files[SHARED_FILE])


def test_bucket_that_keeps_versions_is_named(account: Account, tmp_path: Path) -> None:
    """The earlier version still has the lines."""
    account.bucket.keeps_versions = True
    result = account.run(tmp_path, *ERASE)
    assert result.exit_code == 0
    assert f"earlier versions of 2 files that bucket {BUCKET} keeps ({SHARED_FILE}, {OWN_FILE})" in result.stdout


def test_incident_that_only_mentions_the_id_stays(account: Account, tmp_path: Path) -> None:
    """A line is the incident's by its field, not by its text."""
    mentioning = item(incident_id="incident-9", recommendation={"similar": INCIDENT})
    account.bucket.put_lines(OTHER_FILE, [mentioning])
    before = account.bucket.files[OTHER_FILE]
    assert account.run(tmp_path, *ERASE).exit_code == 0
    assert account.bucket.files[OTHER_FILE] == before


def test_incident_that_is_only_in_the_archive_is_found(tmp_path: Path) -> None:
    """Its items expired long ago."""
    account = Account()
    account.bucket.put_lines(OWN_FILE, items(2))
    result = account.run(tmp_path, *ERASE)
    assert result.exit_code == 0, result.output
    assert account.bucket.files == {}
