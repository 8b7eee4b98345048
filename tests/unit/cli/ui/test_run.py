import signal
import socket
import subprocess
import sys
from pathlib import Path

import click
import pytest

from recommendation_cli.ui import run
from recommendation_cli.ui.options import UiOptions
from tests.support.fakes.recommendation_table import FakeDynamoDb, runtime
from tests.support.ui import TABLE


def _options(port: int = 0) -> UiOptions:
    return UiOptions(page="/", port=port, no_browser=True, review=False)


def test_a_missing_extra_is_one_sentence(monkeypatch: pytest.MonkeyPatch) -> None:
    """It names what to install."""
    monkeypatch.setattr(run, "find_spec", lambda name: None if name == "uvicorn" else object())
    with pytest.raises(click.UsageError, match=r"^recs ui needs uvicorn: install .* with \[cli,ui\]\.$"):
        run.serve(runtime(FakeDynamoDb()), TABLE, _options())


def test_a_port_in_use_is_a_usage_error() -> None:
    """It says what to do."""
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        with pytest.raises(click.UsageError, match=f"Port {port} of 127.0.0.1 cannot be used .*--port"):
            run.serve(runtime(FakeDynamoDb()), TABLE, _options(port))


def test_it_serves_this_machine_only_until_ctrl_c_and_exits_with_130(tmp_path: Path) -> None:
    """Standard output has the address alone, for whatever reads it. Pages that wait for AWS do not delay the end."""
    errors = tmp_path / "errors"
    with socket.create_server(("127.0.0.1", 0)) as silent, errors.open("w") as stderr:
        endpoint = f"http://127.0.0.1:{silent.getsockname()[1]}"
        options = ["/stats", "--no-browser", "--region", "us-east-1", "--endpoint-url", endpoint]
        command = [sys.executable, "-m", "recommendation_cli", "ui", *options]
        with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=stderr, text=True) as process:
            assert process.stdout is not None
            address, _, token = process.stdout.readline().strip().partition("/stats?token=")
            port = int(address.removeprefix("http://127.0.0.1:"))
            _listens_only_here(port)
            with _page(port, "/", "wrong") as refused:
                assert refused.recv(12) == b"HTTP/1.1 403"
            with _page(port, "/", token) as reading, _page(port, "/events", token) as following:
                assert reading.recv(12) == following.recv(12) == b"HTTP/1.1 200"
                process.send_signal(signal.SIGINT)
                assert process.wait(30) == 130
            assert process.stdout.read() == ""
    assert "Traceback" not in errors.read_text()


def _page(port: int, path: str, token: str) -> socket.socket:
    page = socket.create_connection(("127.0.0.1", port), timeout=30)
    page.sendall(f"GET {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nCookie: recs-{port}={token}\r\n\r\n".encode())
    return page


def _listens_only_here(port: int) -> None:
    """Check that this machine's other address, if it has one, does not answer."""
    try:
        own = socket.gethostbyname(socket.gethostname())
    except socket.gaierror:  # the machine's name is not known to itself
        return
    if not own.startswith("127."):
        with pytest.raises(OSError, match="refused"):
            socket.create_connection((own, port), timeout=5)


@pytest.mark.parametrize(("environ", "opens"), [({}, False), ({"DISPLAY": ":0"}, True), ({"BROWSER": "w3m"}, True)])
def test_no_browser_opens_where_it_would_take_the_terminal(
    monkeypatch: pytest.MonkeyPatch, environ: dict[str, str], opens: bool
) -> None:
    """On Linux without a display, unless the user chose one."""
    monkeypatch.setattr(sys, "platform", "linux")
    assert run._has_screen(environ) == opens
