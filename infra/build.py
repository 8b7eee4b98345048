"""Build the function's zip: `python -m infra.build --platform arm64`.

The same inputs give the same bytes, so a deployment changes only when something changed, and a
second build with nothing changed takes no time.
"""

import argparse
import hashlib
import json
import shutil
import sys
import tempfile
import zipfile
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path

from infra.dependencies import TARGETS, BuildError, Target, compile_tree, compiling_python, install

ROOT = Path(__file__).resolve().parent.parent
OUTPUT = ROOT / "build" / "consumer.zip"
PACKAGES = ("consumer", "shared")

_EPOCH = (1980, 1, 1, 0, 0, 0)  # the oldest time a zip can hold
_MODE = 0o100644 << 16  # a plain file that Lambda's unprivileged user can read


@dataclass(frozen=True)
class Built:
    """A finished zip. Sizes are bytes."""

    path: str
    platform: str
    inputs: str
    digest: str
    compressed: int
    uncompressed: int
    byte_code: bool


def build(platform: str = "local", output: Path = OUTPUT, root: Path = ROOT) -> Built:
    """Build the zip of `consumer` and `shared` under `root`, or return the one that is still right.

    Raises `BuildError` if a package is missing, or if pip or the compiler fails.
    """
    target = TARGETS[platform]
    lock = root / "requirements" / "consumer.lock"
    sources = _sources(root)
    python = compiling_python(target.python)
    inputs = _digest_of_inputs(target, python, lock, sources, root)
    stamp = output.with_name(output.name + ".stamp")
    if (previous := _previous(stamp, output, inputs)) is not None:
        return previous

    output.parent.mkdir(parents=True, exist_ok=True)
    dependencies = install(lock, target, python, output.parent / "dependencies")
    with tempfile.TemporaryDirectory(dir=output.parent, prefix="zipping-") as temporary:
        own, archive = Path(temporary, "own"), Path(temporary, "consumer.zip")
        for source in sources:
            copy = own / source.relative_to(root)
            copy.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(source, copy)
        if python:
            compile_tree(python, own)
        uncompressed = _write_zip(archive, dependencies, own)
        built = Built(
            path=str(output),
            platform=platform,
            inputs=inputs,
            digest=hashlib.sha256(archive.read_bytes()).hexdigest(),
            compressed=archive.stat().st_size,
            uncompressed=uncompressed,
            byte_code=python is not None,
        )
        archive.replace(output)
    stamp.write_text(json.dumps(asdict(built), indent=2) + "\n")
    return built


def _sources(root: Path) -> list[Path]:
    for package in PACKAGES:
        if not (root / package / "__init__.py").is_file():
            raise BuildError(f"{root / package} is not a package: the zip would be incomplete")
    return sorted(path for package in PACKAGES for path in (root / package).rglob("*.py"))


def _digest_of_inputs(target: Target, python: str | None, lock: Path, sources: list[Path], root: Path) -> str:
    digest = hashlib.sha256(repr((target, python)).encode())
    for file in [Path(__file__), Path(__file__).with_name("dependencies.py"), lock, *sources]:
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


def _write_zip(archive: Path, *trees: Path) -> int:
    """Write the trees into one zip in sorted order; return the bytes that it unpacks to."""
    files = sorted((file.relative_to(tree).as_posix(), file) for tree in trees for file in _files(tree))
    uncompressed = 0
    with zipfile.ZipFile(archive, "w", zipfile.ZIP_DEFLATED) as bundle:
        for name, file in files:
            entry = zipfile.ZipInfo(name, _EPOCH)
            entry.external_attr = _MODE
            entry.compress_type = zipfile.ZIP_DEFLATED
            content = file.read_bytes()
            uncompressed += len(content)
            bundle.writestr(entry, content)
    return uncompressed


def _files(tree: Path) -> Iterator[Path]:
    return (path for path in tree.rglob("*") if path.is_file())


def main() -> int:
    """Build from the command line; 0 when the zip is there."""
    parser = argparse.ArgumentParser(prog="python -m infra.build", description="Build the consumer's zip.")
    parser.add_argument(
        "--platform",
        choices=sorted(TARGETS),
        default="arm64",
        help="Lambda's architecture, or local for this interpreter; default: %(default)s",
    )
    parser.add_argument("--output", type=Path, default=OUTPUT, help="default: %(default)s")
    options = parser.parse_args()
    try:
        built = build(options.platform, options.output.resolve())
    except BuildError as error:
        sys.stderr.write(f"error: {error}\n")
        return 1
    if not built.byte_code:
        version = TARGETS[options.platform].python
        sys.stderr.write(
            f"warning: there is no Python {version} here to compile with; "
            "a cold start will take about three times as long\n"
        )
    sizes = f"{built.compressed // 1024} KB, unpacks to {built.uncompressed // 1024} KB"
    sys.stdout.write(f"{options.output} for {built.platform}: {sizes}\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
