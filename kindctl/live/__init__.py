"""Objects in the cluster: which are desired, which differ, which are ready, and which are left over."""
