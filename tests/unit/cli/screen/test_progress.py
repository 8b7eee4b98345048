"""Progress of long runs, and counts and ages in words."""

import sys
from functools import partial

import pytest
from rich.progress import Progress

from recommendation_cli.screen.progress import count_progress, progress
from tests.support.fakes.clock import Clock


def test_pipe_gets_a_line_every_five_seconds(capsys: pytest.CaptureFixture[str]) -> None:
    """The lines go to stderr, as stdout may carry the data."""
    clock = Clock()
    with progress({}, clock.monotonic) as report:
        for number in range(12):
            report(f"{number} recommendations", number, None)
            clock.sleep(1)
    printed = capsys.readouterr()
    assert printed.err == "5 recommendations\n10 recommendations\n"
    assert printed.out == ""


def test_counts_include_a_known_total(capsys: pytest.CaptureFixture[str]) -> None:
    """SQS counts only approximately, and a move task only after it has started."""
    clock = Clock()
    with count_progress({}, "moved", clock.monotonic) as report:
        clock.sleep(5)
        report(1000, 0)
        clock.sleep(5)
        report(2000, 12_000)
    assert capsys.readouterr().err == "moved 1,000\nmoved 2,000 of about 12,000\n"


def test_terminal_gets_a_bar(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    """It never exceeds its total, and a dumb terminal gets lines instead."""
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True)
    monkeypatch.setenv("TERM", "xterm")
    with count_progress({"TERM": "xterm"}, "moved", Clock().monotonic) as report:
        report(7, 5)
    assert "moved 7 of about 5" in capsys.readouterr().err
    with count_progress({"TERM": "dumb"}, "moved", Clock().monotonic) as report:
        report(7, 5)
    assert capsys.readouterr().err == ""


def test_time_keeps_counting_beyond_an_approximate_total(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """A bar that counted as finished would stop its clock while messages are still being moved."""
    clock = Clock()
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True)
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setattr("rich.progress.Progress", partial(Progress, get_time=clock.monotonic))
    with count_progress({"TERM": "xterm", "NO_COLOR": "1"}, "moved", clock.monotonic) as report:
        report(7, 5)
        clock.sleep(60)
        report(8, 5)
    assert "moved 8 of about 5 0:01:00" in capsys.readouterr().err
