"""Every locked package has a wheel for Python 3.14, so a machine with no other Python can install everything."""

import os
from pathlib import Path
from typing import NoReturn

import pytest

from infra.build.lock_check import Check, NoIndexError, checks, missing_wheels
from infra.paths import ROOT

REQUIREMENTS = ROOT / "requirements"


def _no_index(error: NoIndexError) -> NoReturn:
    """Skip where there is no index, visibly; fail in CI, where a missing wheel would go unnoticed."""
    if os.environ.get("CI"):
        pytest.fail(str(error))
    pytest.skip(str(error))


def test_every_lock_file_is_checked_on_linux_and_macos() -> None:
    """The Lambda runtime's client exists for Linux only."""
    checked = {(check.lock.stem, check.platform) for check in checks()}
    assert {lock for lock, _ in checked} == {file.stem for file in REQUIREMENTS.glob("*.lock")}
    for lock in {lock for lock, _ in checked}:
        assert {(lock, "x86_64-manylinux_2_34"), (lock, "aarch64-manylinux_2_34")} <= checked
        assert ((lock, "aarch64-apple-darwin") in checked) == (lock != "runtime")


@pytest.mark.parametrize("check", list(checks()), ids=lambda check: f"{check.lock.stem}-{check.platform}")
def test_every_locked_package_has_a_wheel(check: Check) -> None:
    """The lock file is resolved for the platform; nothing is installed."""
    try:
        assert missing_wheels(check) is None
    except NoIndexError as error:
        _no_index(error)


@pytest.mark.parametrize(
    ("lock", "explanation"),
    [
        (f"orjson==3.11.4 --hash=sha256:{'0' * 64}", "no locked wheel for orjson==3.11.4"),
        (f"orjson==3.10.0 --hash=sha256:{'0' * 64}", "orjson==3.10.0 has no usable wheels"),
    ],
    ids=["the wheel was uploaded after the version was locked", "there is no wheel"],
)
def test_missing_wheel_is_reported(tmp_path: Path, lock: str, explanation: str) -> None:
    """The message names the package."""
    file = tmp_path / "mutated.lock"
    file.write_text(lock)
    try:
        assert explanation in (missing_wheels(Check(file, "x86_64-manylinux_2_34")) or "")
    except NoIndexError as error:
        _no_index(error)


def test_unreachable_index_is_not_taken_for_a_missing_wheel(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing is known then, so the check must neither pass nor blame a package."""
    monkeypatch.setenv("UV_DEFAULT_INDEX", "http://127.0.0.1:9/")
    monkeypatch.setenv("UV_HTTP_RETRIES", "0")
    monkeypatch.setenv("UV_CACHE_DIR", str(tmp_path))
    with pytest.raises(NoIndexError, match=r"no package index could answer for requirements/consumer\.lock on x86_64"):
        missing_wheels(Check(REQUIREMENTS / "consumer.lock", "x86_64-manylinux_2_34"))
