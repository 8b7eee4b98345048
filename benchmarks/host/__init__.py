"""What a host pays for handing over seven recommendations, and what it would pay for the alternatives."""
