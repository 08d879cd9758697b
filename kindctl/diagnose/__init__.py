"""Finds problems: checks/ finds out whether the machine is suitable, causes/ why something is not ready."""
