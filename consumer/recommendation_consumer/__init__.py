"""The Lambda function behind the queue: it stores a batch of messages and names those that failed."""
