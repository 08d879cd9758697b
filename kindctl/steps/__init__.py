"""The steps of `up`, one file per kind."""
