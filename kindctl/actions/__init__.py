"""What the commands do, one file each: ordinary functions that return data and never print."""
