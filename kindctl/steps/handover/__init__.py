"""The step in which one ingress controller takes the entry point over from another.

switched  the step: proves the new controller, hands over, removes the old one
takeover  how ports of the node, or forwarded ports, pass from one controller to the other
outage    measures for how long no controller answered correctly
"""
