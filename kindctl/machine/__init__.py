"""Changes this machine: installs Debian packages and their sources, and starts the engine's daemon."""
