"""Build the zips from the command line: `python -m infra.build --platform arm64`."""

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from infra.build.artifacts import ARTIFACTS
from infra.build.dependencies import TARGETS
from infra.build.zips import OUTPUT, build
from infra.errors import BuildError
from infra.paths import ROOT


def main(arguments: Sequence[str] | None = None) -> int:
    """Build from the command line; 0 when the zips are there."""
    parser = argparse.ArgumentParser(prog="python -m infra.build", description=f"Build {' and '.join(ARTIFACTS)}.")
    parser.add_argument("artifacts", nargs="*", metavar="ARTIFACT", help=f"{' or '.join(ARTIFACTS)}; default: all")
    parser.add_argument(
        "--platform",
        choices=sorted(TARGETS),
        default="arm64",
        help="Lambda's architecture, or local for this interpreter; default: %(default)s",
    )
    parser.add_argument("--folder", type=Path, default=OUTPUT.parent, help="where the zips go; default: %(default)s")
    parser.add_argument(
        "--no-byte-code",
        action="store_true",
        help="needs no Python of Lambda's version here, and more than doubles the cold start",
    )
    options = parser.parse_args(arguments)
    if unknown := set(options.artifacts) - ARTIFACTS.keys():
        parser.error(f"no artifact is called {', '.join(sorted(unknown))}; there are {' and '.join(ARTIFACTS)}")
    try:
        for name in options.artifacts or ARTIFACTS:
            output = options.folder.resolve() / f"{name}.zip"
            built = build(options.platform, output, ROOT, ARTIFACTS[name], byte_code=not options.no_byte_code)
            sizes = f"{_mib(built.compressed)}, unpacks to {_mib(built.uncompressed)}"
            compiled = f"byte code of Python {built.byte_code}" if built.byte_code else "no byte code"
            sys.stdout.write(f"{output} for {built.platform}: {sizes}, {compiled}\n  sha256 {built.digest}\n")
    except BuildError as error:
        sys.stderr.write(f"error: {error}\n")
        return 1
    return 0


def _mib(size: int) -> str:
    return f"{size / 1024 / 1024:.1f} MiB"


if __name__ == "__main__":
    sys.exit(main())
