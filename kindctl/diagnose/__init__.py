"""Is the machine fit, and why is something not ready: checks of the machine, causes found in evidence."""
