"""`python -m recommendation_cli` is `recs`."""

from recommendation_cli.app import main

main()
