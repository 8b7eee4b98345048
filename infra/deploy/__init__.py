"""Deploy a stage: `python -m infra.deploy`."""
