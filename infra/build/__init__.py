"""Build the Lambda zips: `python -m infra.build`."""
