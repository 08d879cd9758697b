"""Forwarded ports: one process an environment that listens on ports of this machine and brings each
connection to a ready pod of a Service, through the API server.

    supervisor  the process: its control socket, and its end
    forward     one forwarded port: a listener, and for each connection a pod
    relay       one connection, once it has its pod
    targets     which pods of a Service are ready, by watch
    access      WebSockets to the API server
    client      what steps and commands ask of the process

`tools/forwards.py` starts it and talks to it.
"""
