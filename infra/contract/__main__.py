"""Write docs/contract: `python -m infra.contract`."""

import json
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from infra.contract.asyncapi import asyncapi
from infra.contract.vectors import vectors
from infra.paths import ROOT

FOLDER: Final = ROOT / "docs" / "contract"


def documents() -> Mapping[str, Any]:
    """Return the contents of each generated file, by its name in docs/contract."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    return {"asyncapi.json": asyncapi(project["version"]), "vectors.json": vectors()}


def written(document: Any) -> str:
    """Return a document as it is published: ASCII, so that no editor changes an odd character or a lone surrogate."""
    return json.dumps(document, indent=1) + "\n"


def main(folder: Path = FOLDER) -> None:
    """Write every document."""
    for name, document in documents().items():
        (folder / name).write_text(written(document), encoding="ascii")


if __name__ == "__main__":
    main()
