"""Helpers that several tests share; the fakes are in tests/fakes."""
