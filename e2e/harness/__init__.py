"""What `e2e/run` is made of. It needs nothing but Python's own library."""
