"""What happened, told as it happens: long polls, event streams, webhooks."""
