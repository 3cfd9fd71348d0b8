"""Plug-ins that tell people outside: a channel each. Nothing here has a part in a decision."""
