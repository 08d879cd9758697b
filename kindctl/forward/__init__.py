"""The process that forwards ports of this machine to Services. Each environment has at most one.

It listens on the ports, and passes each connection to a ready pod of the Service through the API server.

    supervisor  the process: answers requests on its control socket, and decides when to end
    forward     one forwarded port: listens, and chooses a pod for each connection
    relay       one connection between a client and its pod
    targets     watches which pods of a Service are ready
    access      opens WebSockets to the API server
    client      functions for steps and commands that deal with forwards

`tools/forwards.py` starts the process and sends it requests.
"""
