"""The item: an envelope as DynamoDB stores it."""
