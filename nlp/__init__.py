"""Transcript → cleaned and masked text → ranked departments with reasons."""
