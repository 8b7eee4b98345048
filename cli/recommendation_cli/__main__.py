"""`python -m recommendation_cli` runs `recs`."""

from recommendation_cli.app import main

main()
