"""The envelope: what one recommendation is between the executor and the table."""
