"""Where the pipeline breaks first: `make scaling`."""
