"""The entry point: registers the ingress with the host."""
