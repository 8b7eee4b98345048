"""`python -m cli` is `recs`."""

from cli.app import main

main()
