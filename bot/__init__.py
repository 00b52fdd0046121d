"""Floor 4: the process: settings, wiring, command line, scheduler, health."""
