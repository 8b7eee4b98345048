"""Stand in for Lambda's own bootstrap: `python -I -S bootstrap.py FORBIDDEN TASK_ROOT[:FOLDER...] HANDLER`.

Puts the function, its layer and the runtime client on the path and runs the client. If it then opens or imports a file
of an installed package or of the folder FORBIDDEN, the invocation fails, so nothing can come from outside the artifact.
"""

import runpy
import sys
from typing import Any


def main() -> None:
    """Set the path and run the runtime client."""
    forbidden, path, _handler = sys.argv[1:]
    sys.path[:0] = path.split(":")
    sys.argv[1:3] = []

    def refuse_other_files(event: str, arguments: tuple[Any, ...]) -> None:
        if event not in {"open", "import"}:
            return
        for argument in arguments[:2]:
            if isinstance(argument, str) and ("-packages/" in argument or argument.startswith(forbidden)):
                raise PermissionError(f"{argument} is not in the artifact")

    sys.addaudithook(refuse_other_files)
    runpy.run_module("awslambdaric", run_name="__main__", alter_sys=True)


if __name__ == "__main__":
    main()
