"""What an incident uses of AWS: `make usage`."""
