"""The pages: a class of handlers for each, which ask the registry of operations and draw what it answers."""
