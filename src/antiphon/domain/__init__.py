"""Facts and rules of jobs, sessions, programs, targets and results. Standard library only, no input or output."""
