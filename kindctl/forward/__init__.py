"""Forwarded ports: one process per environment that listens on ports of this machine and passes each
connection to a ready pod of a Service, through the API server.

    supervisor  the process: its control socket, and when it ends
    forward     one forwarded port: a listener, and a pod for each connection
    relay       one connection, once it has a pod
    targets     which pods of a Service are ready, by watch
    access      WebSockets to the API server
    client      what steps and commands ask of the process

`tools/forwards.py` starts it and talks to it.
"""
