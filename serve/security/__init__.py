"""Who may call, what they may do, and where the service itself may call."""
