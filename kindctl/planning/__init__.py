"""From the file to the graph of steps: kindctl.yaml -> Config -> Parts -> Plan."""
