"""Write a packaged template for Terraform, a pipeline or the console: `python -m infra.deploy.package --bucket B`.

The template refers to the zips in the bucket, to which the caller uploads them, and fits into a request itself.
"""

import argparse
import hashlib
import shutil
import sys
from collections.abc import Sequence
from pathlib import Path

from infra.build.artifacts import ARTIFACTS
from infra.build.dependencies import TARGETS
from infra.build.zips import build
from infra.deploy.compact import compact, stripped
from infra.errors import BuildError
from infra.paths import ROOT
from infra.template import load, packaged

# https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/cloudformation-limits.html
LIMIT = 51_200  # bytes of a template in a request; from S3, it may have 1 MB


def package(bucket: str, prefix: str, platform: str, folder: Path) -> Path:
    """Write the zips and the template into `folder`, which it empties, and return the template's path.

    Their names are digests of their contents. Raises `BuildError`.
    """
    built = {
        name: build(platform, ROOT / "build" / f"{name}.zip", artifact=artifact) for name, artifact in ARTIFACTS.items()
    }
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    for each in built.values():
        shutil.copy(each.path, folder / f"{each.digest}.zip")
    template = packaged(
        load(), lambda name: {"Bucket": bucket, "Key": f"{prefix}{built[name.removesuffix('.zip')].digest}.zip"}
    )
    template["Parameters"]["Architecture"]["Default"] = "arm64" if platform == "arm64" else "x86_64"
    text = compact(stripped(template)).encode()
    if len(text) > LIMIT:
        raise BuildError(
            f"the packaged template has {len(text):,} bytes; CloudFormation takes {LIMIT:,} in a request. Shorten the "
            "template, the bucket's name or the prefix"
        )
    path = folder / f"{hashlib.sha256(text).hexdigest()}.template"
    path.write_bytes(text)
    return path


def main(arguments: Sequence[str] | None = None) -> int:
    """Package from the command line; return 0 if it succeeded."""
    parser = argparse.ArgumentParser(
        prog="python -m infra.deploy.package",
        description="Build both zips and write them, with a template that refers to them in a bucket, into a folder. "
        "Upload the zips to the bucket, under the prefix, before you deploy the template.",
    )
    parser.add_argument("--bucket", required=True, help="bucket that will hold the zips, in the stack's region")
    parser.add_argument("--prefix", default="opx-recommendations/", help="of the zips' keys; default: %(default)s")
    parser.add_argument("--platform", choices=sorted(TARGETS.keys() - {"local"}), default="arm64")
    parser.add_argument(
        "--folder", type=Path, default=ROOT / "build" / "packaged", help="is emptied first; default: %(default)s"
    )
    options = parser.parse_args(arguments)
    try:
        path = package(options.bucket, options.prefix, options.platform, options.folder)
    except BuildError as error:
        sys.stderr.write(f"error: {error}\n")
        return 1
    sys.stdout.write(
        f"{path}: {path.stat().st_size:,} bytes\n"
        f"upload the two zips beside it to s3://{options.bucket}/{options.prefix}, then deploy it\n"
    )
    return 0


if __name__ == "__main__":
    sys.exit(main())
