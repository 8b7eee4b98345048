"""How the local stack starts and ends: whatever happens, it says why and leaves no process or folder behind."""

import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from infra.local import StackError, background, local_stack, ports
from infra.paths import ROOT

pytestmark = pytest.mark.timeout(300)  # most tests start a stack, which takes minutes on a busy machine

START_TIMEOUT = 180  # seconds; the first build of the zip is part of it, and up to 150 s for the canary


def left_over(folder: Path) -> list[str]:
    """Return the processes whose command line names the folder, as those of MiniStack and its workers do."""
    listing = subprocess.run(
        ["ps", "-ww", "-eo", "pid=,stat=,args="],  # noqa: S607 - ps is where the system has it
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    return [line for line in listing.splitlines() if str(folder) in line and line.split()[1][0] != "Z"]


def eventually(condition: Callable[[], object], timeout: float, what: str) -> None:
    """Wait until the condition holds; fail with `what` after `timeout` seconds."""
    deadline = time.monotonic() + timeout
    while not condition():
        if time.monotonic() > deadline:
            pytest.fail(what)
        time.sleep(0.02)


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return the folder that this test's stacks use, including those of its subprocesses."""
    local = tmp_path / "local"
    monkeypatch.setattr(background, "FOLDER", local)
    monkeypatch.setenv("LOCAL_STACK_FOLDER", str(local))
    return local


def command(*arguments: str) -> subprocess.CompletedProcess[str]:
    """Run `python -m infra.local` to its end."""
    return subprocess.run(
        [sys.executable, "-m", "infra.local", *arguments],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
        timeout=START_TIMEOUT,
    )


@pytest.fixture
def foreground(folder: Path) -> Iterator[subprocess.Popen[str]]:
    """Yield the process of a stack that is starting in the foreground."""
    process = subprocess.Popen(
        [sys.executable, "-m", "infra.local", "up", "--port", "0", "--foreground"],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        eventually(lambda: left_over(folder), START_TIMEOUT, "MiniStack did not start")
        yield process
    finally:
        process.kill()
        process.communicate()


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_a_signal_during_the_start_leaves_nothing(
    foreground: subprocess.Popen[str], folder: Path, number: signal.Signals, code: int
) -> None:
    """MiniStack is running by then, and nothing is deployed yet."""
    foreground.send_signal(number)
    foreground.communicate(timeout=10)
    assert foreground.returncode == code
    assert left_over(folder) == []
    assert list(folder.iterdir()) == []


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143), (signal.SIGHUP, 129)])
def test_a_signal_while_it_is_up_leaves_nothing(
    foreground: subprocess.Popen[str], folder: Path, number: signal.Signals, code: int
) -> None:
    """By then the function's workers are running too."""
    assert foreground.stdout is not None
    for line in foreground.stdout:
        if line.startswith("# log:"):
            break
    assert len(left_over(folder)) > 1
    foreground.send_signal(number)
    foreground.communicate(timeout=10)
    assert foreground.returncode == code
    assert left_over(folder) == []
    assert list(folder.iterdir()) == []


def test_killing_the_parent_ends_the_emulator(foreground: subprocess.Popen[str], folder: Path) -> None:
    """A parent that gets SIGKILL cannot clean up, and a stray emulator would hold the port."""
    foreground.kill()
    foreground.communicate()
    eventually(lambda: not left_over(folder), 10, "MiniStack outlived its parent")
    assert list(folder.iterdir()) == []


def test_an_occupied_port_is_reported_with_a_remedy(folder: Path) -> None:
    """The check comes before anything is started."""
    with socket.create_server((ports.HOST, 0)) as taken:
        port = taken.getsockname()[1]
        done = command("up", "--port", str(port))
    assert done.returncode == 1
    assert f"port {port} on 127.0.0.1" in done.stderr
    assert f"LOCAL_STACK_PORT={port + 1}" in done.stderr
    assert not folder.exists()


@pytest.mark.parametrize("value", ["http", "-1", "65536"])
def test_an_invalid_port_is_reported(monkeypatch: pytest.MonkeyPatch, value: str) -> None:
    """The message names the variable."""
    monkeypatch.setenv("LOCAL_STACK_PORT", value)
    with pytest.raises(StackError, match=f"LOCAL_STACK_PORT is '{value}'"):
        ports.from_environment()


def test_the_process_that_holds_a_port_is_named_if_lsof_knows_it() -> None:
    """Here it is the test's own process."""
    with socket.create_server((ports.HOST, 0)) as taken:
        holder = ports.holder(taken.getsockname()[1])
    assert holder == "" or f"(pid {os.getpid()})" in holder


@pytest.mark.parametrize(
    ("python", "message"),
    [("/nowhere/bin/python", "make setup"), (sys.executable, "No module named ministack")],
    ids=["missing", "without MiniStack"],
)
def test_an_unusable_environment_is_explained(
    folder: Path, monkeypatch: pytest.MonkeyPatch, python: str, message: str
) -> None:
    """The message says what to do, or has the exit code and the last log lines of the process that died."""
    monkeypatch.setenv("LOCAL_STACK_PYTHON", python)
    with pytest.raises(StackError, match=message), local_stack(port=0):
        pytest.fail("there is no MiniStack to start")
    assert list(folder.iterdir()) == []


def test_an_error_in_the_middle_of_the_deployment_leaves_nothing(folder: Path) -> None:
    """Here the template lacks a parameter, which is noticed after MiniStack has started."""
    with pytest.raises(StackError, match="no parameter Nonsense"), local_stack(port=0, parameters={"Nonsense": "1"}):
        pytest.fail("the deployment should have failed")
    assert left_over(folder) == []
    assert list(folder.iterdir()) == []


def test_an_emulator_that_dies_is_reported_with_its_log(folder: Path) -> None:
    """`check` raises, which everything that waits for the stack calls."""
    with local_stack(port=0) as stack:
        stack.check()
        os.kill(stack.pid, signal.SIGKILL)

        def dead() -> bool:
            try:
                stack.check()
            except StackError as error:
                return "exit code -9" in str(error) and "log" in str(error)
            return False

        eventually(dead, 10, "its death went unnoticed")
    assert left_over(folder) == []
    assert list(folder.iterdir()) == []


def test_a_background_stack_is_found_not_started_twice_and_stopped(folder: Path) -> None:
    """`up`, `status` and `down` are separate processes."""
    assert command("status").returncode == 1
    up = command("up", "--port", "0")
    assert up.returncode == 0, up.stderr
    try:
        assert "export RECOMMENDATIONS_QUEUE_URL=" in up.stdout
        status = command("status")
        assert status.returncode == 0
        assert set(status.stdout.splitlines()) <= set(up.stdout.splitlines())
        again = command("up", "--port", "0")
        assert again.returncode == 1
        assert "already running: http://127.0.0.1:" in again.stderr
        assert "make down" in again.stderr
        port = status.stdout.split("AWS_ENDPOINT_URL=http://127.0.0.1:")[1].split()[0]
        second = command("up", "--port", port, "--foreground")
        assert "make down" in second.stderr
    finally:
        down = command("down")
    assert down.returncode == 0
    assert left_over(folder) == []
    assert [path.name for path in folder.iterdir()] == ["bin"], "only the aws that now refuses to run may stay"
    assert "no local stack is running" in command("down").stdout


def test_the_record_of_a_stack_that_died_is_removed(folder: Path) -> None:
    """Another program may have its process ID by now, and must not be killed."""
    remains = folder / "run-died"
    remains.mkdir(parents=True)
    record = folder / "stack.json"
    record.write_text(json.dumps({"pid": os.getpid(), "folder": str(remains), "env": {}}))
    assert background.find() is None
    assert list(folder.iterdir()) == []
    assert background.stop() is None


def test_a_damaged_record_is_reported(folder: Path) -> None:
    """It is not deleted silently: the stack that it recorded may still be running."""
    folder.mkdir()
    (folder / "stack.json").write_text("{")
    with pytest.raises(StackError, match=r"stack\.json cannot be read"):
        background.find()
