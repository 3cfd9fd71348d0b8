"""Formats a stored run is rendered in: one file each."""
