"""Readers of populations from outside: one file a form, each gives records and judges nothing."""
