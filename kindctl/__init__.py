"""kindctl: one command from nothing to a local Kubernetes environment whose URL has answered."""

__version__ = "0.1.0"
