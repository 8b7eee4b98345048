"""A durable file is complete whenever it exists, whoever else writes it and whatever was left behind."""

import os
from pathlib import Path

import pytest

from recommendation_cli.durable_file import durable_file, rename_durably


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """Where the file will appear."""
    return tmp_path / "file"


def test_file_appears_when_the_block_ends(path: Path) -> None:
    """It has its permissions, and nothing is left next to it."""
    with durable_file(path, mode=0o600) as stream:
        stream.write(b"content")
        assert not path.exists()
    assert path.read_bytes() == b"content"
    assert path.stat().st_mode & 0o777 == 0o600
    assert list(path.parent.iterdir()) == [path]


def _fail(path: Path) -> None:
    with durable_file(path) as stream:
        stream.write(b"half")
        raise KeyboardInterrupt


def test_error_leaves_the_old_file(path: Path) -> None:
    """Nothing is left next to it."""
    path.write_text("old")
    with pytest.raises(KeyboardInterrupt):
        _fail(path)
    assert path.read_text() == "old"
    assert list(path.parent.iterdir()) == [path]


@pytest.mark.parametrize("replace", [True, False])
def test_only_a_replacement_replaces_a_file(path: Path, *, replace: bool) -> None:
    """A file that appeared while ours was written counts too."""
    refused = False
    try:
        with durable_file(path, replace=replace) as stream:
            stream.write(b"new")
            path.write_text("old")
    except FileExistsError:
        refused = True
    assert refused is not replace
    assert path.read_text() == ("new" if replace else "old")
    assert list(path.parent.iterdir()) == [path]


def test_second_writer_is_refused(path: Path) -> None:
    """Two writers would mix their content."""
    with durable_file(path) as stream:
        stream.write(b"first")
        with pytest.raises(BlockingIOError), durable_file(path):
            pass
    assert path.read_bytes() == b"first"


def test_left_over_second_name_of_a_finished_file_is_not_written_to(path: Path) -> None:
    """A process killed between the link and the removal leaves two names for one file."""
    path.write_text("finished")
    os.link(path, f"{path}.new")
    archived = path.rename(path.with_name("archived"))
    with durable_file(path, replace=False, mode=0o600) as stream:
        stream.write(b"next")
    assert (archived.read_text(), path.read_text()) == ("finished", "next")


def test_rename_replaces_the_target(path: Path) -> None:
    """The new name is then on disk."""
    path.write_text("old")
    source = path.with_name("source")
    source.write_text("new")
    rename_durably(source, path)
    assert path.read_text() == "new"
