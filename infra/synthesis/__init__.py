"""The template as CloudFormation deploys it: `python -m infra.synthesis`."""
