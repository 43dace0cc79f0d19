"""The local socket behind the `otppi` command: requests are read, answers written.

Not here: what the operations do (the `operations.py` of each room), who may ask for them
(`host/runtime/registry.py`), and the commands (`cli/generated.py`).
"""
