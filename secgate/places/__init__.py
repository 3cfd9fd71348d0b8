"""Where results stand in a file and what identity rests on there, found in this process or in children of it."""
