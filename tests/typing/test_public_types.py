"""The public names are fully typed for a host that installed the wheel."""

import re
import subprocess
import sys
import sysconfig
from pathlib import Path

import pytest

from tests.support.wheel import build_wheel, environment_with

HERE = Path(__file__).parent

# What the typed public names refer to, apart from the wheel.
DEPENDENCIES = ("annotated_types", "pydantic", "pydantic_core", "typing_extensions.py")

EXPECTED_ERROR = re.compile(r"  # type: ignore\[([\w-]+)\]$")
REPORTED_ERROR = re.compile(r"^host\.py:(\d+): error: .* \[([\w-]+)\]$", re.MULTILINE)


@pytest.fixture(scope="module")
def host(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder with a host's environment: the wheel and its dependencies, but not our source."""
    folder = tmp_path_factory.mktemp("host")
    python = environment_with(build_wheel(folder / "wheel"), folder / "venv")
    packages = _packages(python)
    for name in DEPENDENCIES:
        (packages / name).symlink_to(Path(sysconfig.get_path("purelib"), name))
    return folder


def _packages(python: Path) -> Path:
    (packages,) = python.parents[1].glob("lib/python*/site-packages")
    return packages


def errors(host: Path, source: str) -> set[tuple[int, str]]:
    """Return the line and the code of each error that mypy --strict reports in this source."""
    (host / "host.py").write_text(source)
    done = subprocess.run(
        [
            *(sys.executable, "-m", "mypy", "--strict", "--config-file=", "--cache-dir", str(host / "cache")),
            *("--show-error-codes", "--no-pretty", "--no-color-output", "--no-error-summary"),
            *("--python-executable", str(host / "venv" / "bin" / "python"), "host.py"),
        ],
        cwd=host,
        env={},
        capture_output=True,
        text=True,
        check=False,
    )
    reported = REPORTED_ERROR.findall(done.stdout)
    assert len(reported) == done.stdout.count("error:"), done.stdout + done.stderr
    assert done.returncode == (1 if reported else 0), done.stderr
    return {(int(line), code) for line, code in reported}


def test_documented_usage_has_no_type_errors(host: Path) -> None:
    """`assert_type` in that source also fails for a value of type Any."""
    assert errors(host, (HERE / "host_usage.py").read_text()) == set()


def test_each_mistake_is_reported_on_its_line(host: Path) -> None:
    """A public name of type Any would accept these mistakes."""
    lines = (HERE / "host_mistakes.py").read_text().splitlines()
    expected = {
        (number, match[1]) for number, line in enumerate(lines, start=1) if (match := EXPECTED_ERROR.search(line))
    }
    assert len(expected) > 15
    assert errors(host, "\n".join(EXPECTED_ERROR.sub("", line) for line in lines)) == expected


def test_types_would_be_missing_without_the_markers(host: Path) -> None:
    """The tests above therefore read the installed packages, not our source."""
    marker = _packages(host / "venv" / "bin" / "python") / "recommendation_producer" / "py.typed"
    marker.rename(marker.with_suffix(".away"))
    try:
        assert errors(host, "from recommendation_producer import Outcome\n\nprint(Outcome)\n") == {
            (1, "import-untyped")
        }
    finally:
        marker.with_suffix(".away").rename(marker)
