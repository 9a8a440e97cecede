"""What goes over the wire between Kaaj and a client: commands, events, settings."""
