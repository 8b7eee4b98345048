"""The build's command line: `python -m infra.build --platform arm64`."""

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from infra.build.artifacts import ARTIFACTS
from infra.build.dependencies import TARGETS
from infra.build.zips import OUTPUT, build
from infra.errors import BuildError


def main(arguments: Sequence[str] | None = None) -> int:
    """Build the named artifacts; return 0 on success and 1 on a build error."""
    parser = argparse.ArgumentParser(prog="python -m infra.build", description=f"Build {' and '.join(ARTIFACTS)}.")
    parser.add_argument("artifacts", nargs="*", metavar="ARTIFACT", help=f"{' or '.join(ARTIFACTS)}; default: both")
    parser.add_argument(
        "--platform",
        choices=sorted(TARGETS),
        default="arm64",
        help="for the consumer: Lambda's architecture, or local for this machine and Python; default: %(default)s",
    )
    parser.add_argument("--folder", type=Path, default=OUTPUT.parent, help="where to write; default: %(default)s")
    parser.add_argument(
        "--no-byte-code",
        action="store_true",
        help="build the consumer without Lambda's Python on this machine; more than doubles its cold start",
    )
    options = parser.parse_args(arguments)
    if unknown := set(options.artifacts) - ARTIFACTS.keys():
        parser.error(f"no artifact is called {', '.join(sorted(unknown))}; the artifacts are {' and '.join(ARTIFACTS)}")
    try:
        for name in options.artifacts or ARTIFACTS:
            output = options.folder.resolve() / f"{name}.zip"
            built = build(
                options.platform,
                output,
                artifact=ARTIFACTS[name],
                byte_code=not options.no_byte_code,
            )
            sizes = f"{_size(built.compressed)}, unpacks to {_size(built.uncompressed)}"
            compiled = f"byte code by {built.byte_code}" if built.byte_code else "no byte code"
            runs_on = f"{built.platform}, Python {built.python}"
            sys.stdout.write(f"{output} for {runs_on}: {sizes}, {compiled}\n  sha256 {built.digest}\n")
    except BuildError as error:
        sys.stderr.write(f"error: {error}\n")
        return 1
    return 0


def _size(size: int) -> str:
    return f"{size / 1024 / 1024:.1f} MiB" if size >= 1024 * 1024 else f"{size / 1024:.0f} KiB"


if __name__ == "__main__":
    sys.exit(main())
