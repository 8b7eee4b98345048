"""The contract that producer, consumer and CLI share: envelope, identity, item codec, limits, names."""
