"""The step in which one ingress controller takes over from another."""
