"""Long work: operations that go on after whoever asked for them has been answered; in RAM.

Not here: what the work does, which is its operation; how it is shown (`admin/pages/jobs.py`).
"""
