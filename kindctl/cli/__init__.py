"""The command line, with one file per command: each parses the arguments, calls one function of the
library, and renders the result."""
