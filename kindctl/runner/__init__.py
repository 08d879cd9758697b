"""Walks any graph of steps and reports what happens as events. It knows no concrete step."""
