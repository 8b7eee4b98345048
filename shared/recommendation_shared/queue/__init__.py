"""The queue between producer and consumer: the limits of a SendMessageBatch request, and dead letters."""
