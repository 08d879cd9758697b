"""The sample's backend: a small JSON API over one table of texts."""
