"""Disposal: procedures on their clocks."""
