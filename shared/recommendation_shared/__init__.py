"""The contract that the producer, the consumer and the CLI share: envelope, identity, item, limits and names."""
