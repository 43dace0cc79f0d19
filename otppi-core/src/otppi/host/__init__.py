"""The gateway itself: plugin loading, supervision, the one door for commands, routing, queues, and what is kept."""
