"""The functions behind the commands, with one file per command. They return data and never print."""
