"""Reset sticks: file systems on USB by udev, read by a unit that may do nothing else."""
