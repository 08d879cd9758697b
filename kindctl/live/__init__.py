"""Objects in the cluster: what is desired, what differs, what is ready, what is left over."""
