"""The scanner adapters: what to start, and what its output means. They start nothing and decide nothing."""
