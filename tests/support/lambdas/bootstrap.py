"""What Lambda's own bootstrap does: `python -I -S lambda_bootstrap.py FORBIDDEN TASK_ROOT[:FOLDER...] HANDLER`.

Puts the function, its layer and the runtime client on the path and runs the client. Any file of an installed package
or of the folder FORBIDDEN that is then opened or imported fails the invocation, so that nothing can come from
anywhere but the artifact.
"""

import runpy
import sys
from typing import Any


def main() -> None:
    """Hand over to the runtime client."""
    forbidden, path, _handler = sys.argv[1:]
    sys.path[:0] = path.split(":")
    sys.argv[1:3] = []

    def refuse_the_rest(event: str, arguments: tuple[Any, ...]) -> None:
        if event not in {"open", "import"}:
            return
        for argument in arguments[:2]:
            if isinstance(argument, str) and ("-packages/" in argument or argument.startswith(forbidden)):
                raise PermissionError(f"{argument} is not of the artifact")

    sys.addaudithook(refuse_the_rest)
    runpy.run_module("awslambdaric", run_name="__main__", alter_sys=True)


if __name__ == "__main__":
    main()
