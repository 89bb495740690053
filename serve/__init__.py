"""The only room that knows HTTP, queues and databases."""
