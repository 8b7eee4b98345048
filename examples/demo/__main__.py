"""`make demo`: run the whole pipeline and account for every recommendation. See README.md."""

import sys


def main() -> int:
    """Run the demo; return 0 if nothing was lost."""
    try:
        # Importing LangGraph takes seconds on a busy machine; Ctrl-C must end those as quietly as the rest.
        from examples.demo.command import demo  # noqa: PLC0415

        return demo()
    except KeyboardInterrupt:
        sys.stderr.write("interrupted\n")
        return 130


if __name__ == "__main__":
    sys.exit(main())
