"""Check that every locked package has a wheel for the newest supported Python: `python -m infra.build.lock_check`.

A lock file holds hashes without the names of their files, so only a package index can answer. uv asks it which wheels
of each locked version fit a platform; the hash of one of them must be locked. Nothing is installed.
"""

import re
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from infra.errors import BuildError
from infra.paths import ROOT

PYTHON: Final = "3.14"
LINUX: Final = ("x86_64-manylinux_2_34", "aarch64-manylinux_2_34")
MACOS: Final = ("aarch64-apple-darwin",)

# The Lambda runtime and its client exist for Linux only.
_LINUX_ONLY: Final = frozenset({"runtime"})

# The SAM CLI pins a watchdog without a macOS wheel for this Python. The Makefile lets pip build its source there.
_BUILT_FROM_SOURCE: Final = {("sam", platform): "watchdog" for platform in MACOS}

# uv's words when the index answered but has no wheel for the platform.
_NO_WHEEL: Final = ("no usable wheels", "no wheels with a matching", "only have wheels", "only found wheels")


class NoIndexError(BuildError):
    """No package index answered, so nothing is known about the wheels."""


@dataclass(frozen=True)
class Check:
    """A lock file and a platform, under uv's name for it."""

    lock: Path
    platform: str

    @property
    def name(self) -> str:
        """The lock file and the platform, for people."""
        return f"requirements/{self.lock.name} on {self.platform}"


def checks(folder: Path = ROOT / "requirements") -> Iterator[Check]:
    """Yield each lock file with each platform on which its packages must install."""
    for lock in sorted(folder.glob("*.lock")):
        for platform in LINUX if lock.stem in _LINUX_ONLY else (*LINUX, *MACOS):
            yield Check(lock, platform)


def missing_wheels(check: Check) -> str | None:
    """Return which packages have no usable wheel, or uv's explanation, else None. Raises `NoIndexError`."""
    locked = _without_source_builds(check)
    done = subprocess.run(
        [
            *(sys.executable, "-m", "uv", "pip", "compile", "--quiet", "--color", "never", "--no-header"),
            *("--format", "pylock.toml", "--no-deps", "--only-binary", ":all:"),
            *("--python", sys.executable, "--python-version", PYTHON, "--python-platform", check.platform, "-"),
        ],
        input=locked,
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode != 0:
        explanation = done.stderr.strip()
        if any(sign in explanation for sign in _NO_WHEEL):
            return explanation
        raise NoIndexError(f"no package index could answer for {check.name}:\n{explanation}")
    # A wheel may have been uploaded after its version was locked: pip would refuse its hash.
    hashes = set(re.findall(r"--hash=sha256:([0-9a-f]{64})", locked))
    missing = [
        f"{package['name']}=={package['version']}"
        for package in tomllib.loads(done.stdout).get("packages", [])
        if hashes.isdisjoint(wheel["hashes"]["sha256"] for wheel in package["wheels"])
    ]
    return f"no locked wheel for {', '.join(missing)}" if missing else None


def main() -> int:
    """Check every lock file; 0 if all wheels exist, 1 if one is missing, 2 if no index answered."""
    every = list(checks())
    try:
        with ThreadPoolExecutor(max_workers=2) as pool:
            results = list(pool.map(missing_wheels, every))
    except NoIndexError as error:
        sys.stderr.write(f"error: {error}\n")
        return 2
    for check, missing in zip(every, results, strict=True):
        sys.stdout.write(f"{check.name}, Python {PYTHON}: {'ok' if missing is None else missing}\n")
    return int(any(results))


def _without_source_builds(check: Check) -> str:
    """Return the lock file's text without the package that is built from source on this platform."""
    excluded = _BUILT_FROM_SOURCE.get((check.lock.stem, check.platform))
    kept: list[str] = []
    is_excluded = False
    for line in check.lock.read_text().splitlines():
        if line and not line[0].isspace():
            is_excluded = excluded is not None and line.startswith(f"{excluded}==")
        if not is_excluded:
            kept.append(line)
    return "\n".join(kept)


if __name__ == "__main__":
    sys.exit(main())
