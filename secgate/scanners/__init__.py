"""Scanner adapters: one module a tool."""
