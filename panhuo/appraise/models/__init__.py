"""Appraisal models, one function per family of tools: reads declared inputs, writes flows and figures into a book."""
