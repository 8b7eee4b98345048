"""The Lambda function on the SQS trigger: a batch of messages in, items out, failures named."""
