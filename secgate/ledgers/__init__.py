"""Ledgers: places where the log is kept, behind one Protocol (`ports.Ledger`)."""
