"""What users hold in their hands: Workspace, Target, Job, Session, Result, over one protocol."""
