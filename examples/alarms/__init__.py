"""Which alarm of the template would fire, on the local stack, where CloudWatch has no metrics of ours."""
