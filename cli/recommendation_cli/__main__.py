"""The program `recs`, which `python -m recommendation_cli` runs as well."""

import sys
from typing import Final

_REQUIRED: Final = ("botocore", "click", "orjson", "pydantic", "rich")  # top-level modules of the extra `cli`


def main() -> None:
    """Run `recs` with the process's arguments; never returns."""
    try:
        from recommendation_cli.app import run
    except ModuleNotFoundError as error:
        if error.name is None or error.name.partition(".")[0] not in _REQUIRED:
            raise
        sys.exit(f"recs needs {error.name}, which is not installed: install the wheel or the checkout with [cli].")
    run()


if __name__ == "__main__":
    main()
