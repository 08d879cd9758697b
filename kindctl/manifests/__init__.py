"""Kubernetes YAML of users: read, rendered and judged before there is a cluster to ask."""
