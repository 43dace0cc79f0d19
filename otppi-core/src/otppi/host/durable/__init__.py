"""Journal, spool, what is in flight, report, restart."""
