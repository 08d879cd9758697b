"""Is the machine fit, and why is something not ready: checks, causes, and the set-up of a machine."""
