"""Diagnoses: checks find out whether the machine is suitable, causes why something is not ready."""
