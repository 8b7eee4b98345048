"""The whole pipeline under faults, with a ledger at the end: `python -m tests.chaos.pipeline`. See docs/chaos.md."""
