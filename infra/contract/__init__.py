"""The published contract: the AsyncAPI document and the golden vectors, generated from the code that they describe."""
