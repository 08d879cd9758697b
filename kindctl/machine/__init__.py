"""What changes this machine: packages of Debian and where they come from, the daemon of the engine."""
