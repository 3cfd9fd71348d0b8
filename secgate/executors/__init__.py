"""Everything that starts processes or serves them."""
