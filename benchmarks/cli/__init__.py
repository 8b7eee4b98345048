"""What reading with `recs` costs, beside the AWS CLI: `make bench-cli`."""
