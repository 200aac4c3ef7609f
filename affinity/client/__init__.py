"""What a client sends: the messages that the command line and the demonstration build. Works against any server."""
