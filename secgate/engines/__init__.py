"""Plug-ins that evaluate Rego; one file each, behind `secgate.ports.Engine`."""
