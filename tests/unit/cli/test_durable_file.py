"""A durable file is complete whenever it exists, whoever else writes it and whatever was left behind."""

import errno
import os
from collections.abc import Callable
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


@pytest.mark.timeout(10)  # code that followed the link would wait for it to disappear
@pytest.mark.parametrize("exists", [True, False])
def test_symlink_in_the_place_of_the_temporary_file_is_refused(path: Path, *, exists: bool) -> None:
    """In a folder that others can write to, it could lead to any of the user's files."""
    victim = path.with_name("victim")
    if exists:
        victim.write_text("theirs")
    path.with_name("file.new").symlink_to(victim)
    with pytest.raises(OSError, match=r"file\.new") as refused, durable_file(path):
        pass
    assert refused.value.errno == errno.ELOOP
    assert not path.exists()
    assert (victim.read_text() == "theirs") if exists else not victim.exists()


def test_symlink_to_a_file_stays_and_the_file_changes(path: Path) -> None:
    """A configuration is often a link into a repository."""
    link = path.with_name("link")
    link.symlink_to(path.name)
    for content in (b"first", b"second"):
        with durable_file(link) as stream:
            stream.write(content)
        assert (link.is_symlink(), path.read_bytes()) == (True, content)


@pytest.mark.parametrize("through_a_link", [True, False])
def test_what_is_not_a_file_is_never_replaced(path: Path, *, through_a_link: bool) -> None:
    """Run by root, a rename would turn /dev/stdout into a file for every other program."""
    os.mkfifo(path)
    link = path.with_name("link")
    link.symlink_to(path.name)
    with pytest.raises(OSError, match="Not a regular file"), durable_file(link if through_a_link else path):
        pass
    assert (path.is_fifo(), link.is_symlink(), len(list(path.parent.iterdir()))) == (True, True, 2)


def _rename(path: Path) -> None:
    source = path.with_name("source")
    source.write_text("content")
    rename_durably(source, path)


def _write(path: Path) -> None:
    with durable_file(path) as stream:
        stream.write(b"content")


def _write_new(path: Path) -> None:
    with durable_file(path, replace=False) as stream:
        stream.write(b"content")


@pytest.mark.parametrize("write", [_write, _write_new, _rename])
def test_folder_is_synced_after_the_file_has_its_name(
    path: Path, monkeypatch: pytest.MonkeyPatch, write: Callable[[Path], None]
) -> None:
    """Otherwise, the file could be missing after a power cut."""
    synced = []
    fsync = os.fsync

    def record(descriptor: int) -> None:
        fsync(descriptor)
        synced.append((os.fstat(descriptor).st_ino, path.exists()))

    monkeypatch.setattr(os, "fsync", record)
    write(path)
    assert synced[-1] == (path.parent.stat().st_ino, True)


@pytest.mark.parametrize("write", [_write, _write_new])
def test_content_is_synced_before_the_file_has_its_name(
    path: Path, monkeypatch: pytest.MonkeyPatch, write: Callable[[Path], None]
) -> None:
    """Otherwise, the file could be empty after a power cut."""
    synced = []

    def record(descriptor: int) -> None:
        status = os.fstat(descriptor)
        synced.append((status.st_ino, status.st_size, path.exists()))

    monkeypatch.setattr(os, "fsync", record)
    write(path)
    assert synced[0] == (path.stat().st_ino, len("content"), False)


def test_rename_replaces_the_target(path: Path) -> None:
    """The new name is then on disk."""
    path.write_text("old")
    source = path.with_name("source")
    source.write_text("new")
    rename_durably(source, path)
    assert path.read_text() == "new"
