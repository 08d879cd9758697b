"""The user's Kubernetes YAML: it is read, rendered and checked before there is a cluster to ask."""
