"""The queue between producer and consumer: SQS's limits of a request, and what makes a message a dead letter."""
