"""How many recommendations a second the pipeline handles, and which limit binds first: `make scaling`."""
