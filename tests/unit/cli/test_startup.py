"""What `recs` costs before it does anything."""

import subprocess
import sys

HEAVY = ("boto3", "botocore", "rich", "pydantic", "pydantic_core", "orjson", "pyarrow")


def _python(*args: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([sys.executable, *args], capture_output=True, text=True, check=False)  # noqa: S603 - ourselves


def test_help_imports_nothing_heavy() -> None:
    """Neither at the top nor for a command: an operator types it in the middle of an incident."""
    for command in (
        "[]",
        "['show']",
        "['diff']",
        "['export', 'period']",
        "['report']",
        "['doctor']",
        "['dlq', 'restore']",
    ):
        program = (
            "import sys; from recommendation_cli.app import recs\n"
            f"recs([*{command}, '--help'], standalone_mode=False)\n"
            f"loaded = [name for name in {HEAVY} if name in sys.modules]\n"
            "sys.exit(f'imported: {loaded}' if loaded else 0)"
        )
        done = _python("-c", program)
        assert done.returncode == 0, done.stderr
        assert "Usage: " in done.stdout


def test_the_package_can_be_run() -> None:
    """`python -m recommendation_cli` is `recs`, also in what it calls itself."""
    done = _python("-m", "recommendation_cli", "--version")
    assert done.returncode == 0
    assert done.stdout.startswith("recs, version ")
    assert "Usage: recs " in _python("-m", "recommendation_cli", "--help").stdout
