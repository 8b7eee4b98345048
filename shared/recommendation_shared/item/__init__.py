"""The item: an envelope as it is stored in DynamoDB."""
