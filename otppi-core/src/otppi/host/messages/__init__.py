"""Dispatch, placement, routing, queues, worker, receipts, blocking list."""
