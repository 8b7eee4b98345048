"""What CloudFormation makes of the template: `python -m infra.synthesis`."""
