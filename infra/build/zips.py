"""Build the zips: `python -m infra.build --platform arm64`.

The same inputs give the same bytes, so a deployment changes only when something changed, and a
second build with nothing changed takes no time.
"""

import hashlib
import json
import shutil
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from infra.build.archive import write_zip
from infra.build.artifacts import ARTIFACTS, CONSUMER, Artifact
from infra.build.byte_code import Interpreter, compile_tree, interpreter
from infra.build.dependencies import TARGETS, Target, install
from infra.errors import BuildError
from infra.paths import ROOT

OUTPUT = ROOT / "build" / "consumer.zip"

_RULES = ("archive.py", "artifacts.py", "byte_code.py", "dependencies.py", "zips.py")


@dataclass(frozen=True)
class Built:
    """A finished zip. Sizes are bytes."""

    path: str
    platform: str
    inputs: str
    digest: str
    compressed: int
    uncompressed: int
    byte_code: str | None  # the Python that compiled it


def build(
    platform: str = "local",
    output: Path = OUTPUT,
    root: Path = ROOT,
    artifact: Artifact = CONSUMER,
    *,
    byte_code: bool = True,
) -> Built:
    """Build the artifact from its packages under `root`, or return the zip that is still right.

    Raises `BuildError` if a package is missing, if uv, the compiler or the compiler's Python fails, or if the zip is
    over its artifact's limits.
    """
    target = TARGETS[platform]
    lock = root / "requirements" / f"{artifact.extra}.lock"
    sources = _sources(artifact, root)
    python = interpreter(target.python) if byte_code else None
    inputs = _digest_of_inputs(artifact, target, python, [lock, *sources], root)
    stamp = output.with_name(output.name + ".stamp")
    if (previous := _previous(stamp, output, inputs)) is not None:
        return previous
    output.parent.mkdir(parents=True, exist_ok=True)
    dependencies = install(artifact, lock, target, python, output.parent / "dependencies")
    with tempfile.TemporaryDirectory(dir=output.parent, prefix="zipping-") as temporary:
        own, archive = Path(temporary, "own"), Path(temporary, output.name)
        for package in artifact.packages:
            shutil.copytree(root / package, own / Path(package).name, ignore=_not_source)
        if python:
            compile_tree(python, own, artifact.unpacked_at)
        uncompressed = write_zip(archive, artifact.prefix, dependencies, own)
        built = Built(
            path=str(output),
            platform=platform,
            inputs=inputs,
            digest=hashlib.sha256(archive.read_bytes()).hexdigest(),
            compressed=archive.stat().st_size,
            uncompressed=uncompressed,
            byte_code=python.version if python else None,
        )
        _hold_to_limits(artifact, built)
        archive.replace(output)
    stamp.write_text(json.dumps(asdict(built), indent=2) + "\n")
    return built


def build_for_this_python() -> Built:
    """Return the consumer's zip as this interpreter runs it, which the local stack deploys. Raises `BuildError`."""
    return build("local", OUTPUT.with_name(f"consumer-local-{sys.version_info.major}.{sys.version_info.minor}.zip"))


def _sources(artifact: Artifact, root: Path) -> list[Path]:
    for package in artifact.packages:
        if not (root / package / "__init__.py").is_file():
            raise BuildError(f"{root / package} is not a package: the zip would be incomplete")
    return sorted(path for package in artifact.packages for path in (root / package).rglob("*.py"))


def _not_source(folder: str, names: list[str]) -> set[str]:
    return {name for name in names if not (name.endswith(".py") or Path(folder, name, "__init__.py").is_file())}


def _digest_of_inputs(
    artifact: Artifact, target: Target, python: Interpreter | None, files: Sequence[Path], root: Path
) -> str:
    digest = hashlib.sha256(repr((artifact, target, python and python.version)).encode())
    for file in [*(Path(__file__).with_name(name) for name in _RULES), *files]:
        name = file.relative_to(root).as_posix() if file.is_relative_to(root) else file.name
        content = file.read_bytes()
        digest.update(f"\n{name} {len(content)}\n".encode() + content)
    return digest.hexdigest()


def _previous(stamp: Path, output: Path, inputs: str) -> Built | None:
    """Return the last build if it had the same inputs and its zip is still the same file."""
    try:
        built = Built(**json.loads(stamp.read_text()))
        digest = hashlib.sha256(output.read_bytes()).hexdigest()
    except (FileNotFoundError, ValueError, TypeError):  # never built, or a stamp of another version
        return None
    return built if (built.inputs, built.digest) == (inputs, digest) else None


def _hold_to_limits(artifact: Artifact, built: Built) -> None:
    if built.compressed > artifact.compressed_limit:
        raise BuildError(
            f"{artifact.name}.zip for {built.platform} has {built.compressed:,} bytes; the limit is "
            f"{artifact.compressed_limit:,} ({artifact.limit_source}). Leave out what it does not load: "
            "infra/build/dependencies.py, is_needed"
        )
    if built.uncompressed > artifact.uncompressed_limit:
        raise BuildError(
            f"{artifact.name}.zip for {built.platform} unpacks to {built.uncompressed:,} bytes; the limit is "
            f"{artifact.uncompressed_limit:,}, because Lambda allows 250 MiB for a function with all its layers"
        )
