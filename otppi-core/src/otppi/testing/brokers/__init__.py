"""Real brokers for tests, each a process of its own on free ports and in a folder of its own."""
