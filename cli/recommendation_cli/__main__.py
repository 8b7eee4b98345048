"""The program `recs`, which `python -m recommendation_cli` runs as well."""

import gc
import sys
from importlib.util import find_spec
from typing import Final

_REQUIRED: Final = ("botocore", "click", "orjson", "pydantic", "rich")  # top-level modules of the extra `cli`
_INTERRUPTED: Final = 130  # 128 + SIGINT, as a shell reports it
_USAGE_ERROR: Final = 2  # as click exits; 1 means that nothing was found


def main() -> None:
    """Run `recs` with the process's arguments; never returns."""
    # Most modules are imported by the command that needs them, which must not fail halfway through its work.
    missing = [name for name in _REQUIRED if find_spec(name) is None]
    if missing:
        *others, last = missing
        names = f"{', '.join(others)} and {last}, which are" if others else f"{last}, which is"
        sys.stderr.write(f"recs needs {names} not installed: install the wheel or the checkout with [cli].\n")
        sys.exit(_USAGE_ERROR)
    # Modules and botocore's model of DynamoDB are many objects, and no garbage. Collecting at Python's default of every
    # 700 objects took a tenth of the CPU that `recs show` needs.
    gc.set_threshold(100_000)
    try:
        from recommendation_cli.app import run

        run()
    except KeyboardInterrupt:  # while modules are imported, or results are still being written
        sys.exit(_INTERRUPTED)


if __name__ == "__main__":
    main()
