"""Build the zips: `python -m infra.build --platform arm64`.

The same inputs give the same bytes, so a deployment shows only real changes, and a build without changes does nothing.
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
from infra.build.artifacts import CONSUMER, LAYER, Artifact
from infra.build.byte_code import Interpreter, compile_tree, interpreter
from infra.build.dependencies import ANYWHERE, TARGETS, Target, install
from infra.errors import BuildError
from infra.paths import ROOT

OUTPUT = ROOT / "build" / "consumer.zip"

_NOT_SOURCE = shutil.ignore_patterns("__pycache__")
_RULES = Path(__file__).parent  # how a zip is built is one of its inputs


@dataclass(frozen=True)
class Built:
    """A finished zip. Sizes are in bytes."""

    path: str
    platform: str
    python: str  # major.minor, or "3.11 or later"
    inputs: str
    digest: str
    compressed: int
    uncompressed: int
    byte_code: str | None  # the full version of the Python that compiled it


def build(
    platform: str = "local",
    output: Path = OUTPUT,
    root: Path = ROOT,
    artifact: Artifact = CONSUMER,
    *,
    byte_code: bool = True,
) -> Built:
    """Build the artifact from its packages under `root`, or return the existing zip if its inputs are unchanged.

    An artifact without dependencies is source alone, the same for every platform. Raises `BuildError` if a package is
    missing, uv, the compiler or its Python fails, or the zip exceeds a limit.
    """
    target = TARGETS[platform] if artifact.extra else ANYWHERE
    locks = [root / "requirements" / f"{artifact.extra}.lock"] if artifact.extra else []
    sources = _sources(artifact, root)
    compiler = interpreter(target.python) if byte_code and artifact.extra else None
    inputs = _digest_of_inputs(artifact, target, compiler, [*locks, *sources], root)
    stamp = output.with_name(output.name + ".stamp")
    if (previous := _previous(stamp, output, inputs)) is not None:
        return previous
    output.parent.mkdir(parents=True, exist_ok=True)
    dependencies = [install(artifact, lock, target, compiler, output.parent / "dependencies") for lock in locks]
    with tempfile.TemporaryDirectory(dir=output.parent, prefix="zipping-") as temporary:
        own, archive = Path(temporary, "own"), Path(temporary, output.name)
        for package in artifact.packages:
            shutil.copytree(root / package, own / Path(package).name, ignore=_NOT_SOURCE)
        if compiler:
            compile_tree(compiler, own, artifact.unpacked_at)
        uncompressed = write_zip(archive, artifact.prefix, *dependencies, own)
        built = Built(
            path=str(output),
            platform=target.platform,
            python=target.python,
            inputs=inputs,
            digest=hashlib.sha256(archive.read_bytes()).hexdigest(),
            compressed=archive.stat().st_size,
            uncompressed=uncompressed,
            byte_code=compiler.version if compiler else None,
        )
        _check_limits(artifact, built)
        archive.replace(output)
    stamp.write_text(json.dumps(asdict(built), indent=2) + "\n")
    return built


def build_for_this_python() -> Built:
    """Return the consumer's zip for this interpreter, which the local stack deploys. Raises `BuildError`."""
    return build("local", OUTPUT.with_name(f"consumer-local-{sys.version_info.major}.{sys.version_info.minor}.zip"))


def build_layer() -> Built:
    """Return the layer's zip, which is the same for every platform. Raises `BuildError`."""
    return build(output=OUTPUT.with_name("layer.zip"), artifact=LAYER)


def _sources(artifact: Artifact, root: Path) -> list[Path]:
    for package in artifact.packages:
        if not (root / package / "__init__.py").is_file():
            raise BuildError(f"{root / package} is not a package: the zip would be incomplete")
    return sorted(
        path
        for package in artifact.packages
        for path in (root / package).rglob("*")
        if path.is_file() and "__pycache__" not in path.parts
    )


def _digest_of_inputs(
    artifact: Artifact, target: Target, compiler: Interpreter | None, files: Sequence[Path], root: Path
) -> str:
    digest = hashlib.sha256(repr((artifact, target, compiler and compiler.version)).encode())
    for file in [*sorted(_RULES.glob("*.py")), *files]:
        name = file.relative_to(root).as_posix() if file.is_relative_to(root) else file.name
        content = file.read_bytes()
        digest.update(f"\n{name} {len(content)}\n".encode() + content)
    return digest.hexdigest()


def _previous(stamp: Path, output: Path, inputs: str) -> Built | None:
    """Return the previous build if it had the same inputs and its zip is unchanged."""
    try:
        built = Built(**json.loads(stamp.read_text()))
        digest = hashlib.sha256(output.read_bytes()).hexdigest()
    except (FileNotFoundError, ValueError, TypeError):  # never built, or stamped by another version of this module
        return None
    return built if (built.inputs, built.digest) == (inputs, digest) else None


def _check_limits(artifact: Artifact, built: Built) -> None:
    if built.compressed > artifact.compressed_limit:
        raise BuildError(
            f"{artifact.name}.zip for {built.platform} has {built.compressed:,} bytes; the limit is "
            f"{artifact.compressed_limit:,} ({artifact.limit_source}). Leave out files that it does not load: see "
            "is_needed in infra/build/dependencies.py"
        )
    if built.uncompressed > artifact.uncompressed_limit:
        raise BuildError(
            f"{artifact.name}.zip for {built.platform} unpacks to {built.uncompressed:,} bytes; the limit is "
            f"{artifact.uncompressed_limit:,}, because Lambda allows 250 MiB for a function with all its layers"
        )
