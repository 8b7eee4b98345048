"""Waiting for AWS in threads: botocore is synchronous."""
