"""Turns kindctl.yaml into the graph of steps: kindctl.yaml -> Config -> Parts -> Plan."""
