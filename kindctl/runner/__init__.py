"""Walks any graph of steps and tells what happens as events. It knows no concrete step."""
