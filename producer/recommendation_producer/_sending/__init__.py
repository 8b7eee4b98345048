"""From the buffer to SQS: the sender's thread, its call threads and the client they share."""
