"""Run the whole pipeline under faults, and account for every envelope: `python -m tests.chaos.pipeline --help`."""
