"""The browser of this machine, in which tests open pages."""

import os
import shutil
from typing import Final

import pytest

CHROMIUM: Final = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)

# `make test` must not install system packages, and a browser is one, so tests without it are skipped. In CI, where
# nobody would notice that, they run and fail instead: .ci/run installs it.
needs_chromium: Final = pytest.mark.skipif(
    CHROMIUM is None and not os.environ.get("CI"), reason="Chromium is not installed: apt-get install chromium"
)
