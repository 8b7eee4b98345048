"""The wheel, which the tests of this folder share."""

from pathlib import Path

import pytest

from tests.support.wheel import build_wheel, environment_with


@pytest.fixture(scope="session")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the project's wheel, built from this checkout."""
    return build_wheel(tmp_path_factory.mktemp("wheel"))


@pytest.fixture(scope="session")
def wheel_only(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the interpreter of a fresh environment that holds the wheel without any extra."""
    return environment_with(wheel, tmp_path_factory.mktemp("fresh") / "venv")
