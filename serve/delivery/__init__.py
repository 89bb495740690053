"""Telling others what happened: webhooks, MQTT and event streams, from the outbox."""
