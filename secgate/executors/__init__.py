"""The plug-ins that run scanner jobs. Nothing else in secgate starts processes."""
