"""The soak: many modems with random faults for a long time, and nothing grows, is lost or goes twice."""
