"""What the commands do, one file each: functions that return data and never print."""
