"""The gateway itself: plugin loading, supervision, the one entry for commands, routing, queues, and what is kept."""
