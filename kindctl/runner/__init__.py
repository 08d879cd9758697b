"""Runs the steps of any graph and reports what happens as events. Nothing here depends on a particular
step."""
