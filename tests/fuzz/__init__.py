"""Fuzzing guided by coverage: what takes bytes from elsewhere, the corpus it begins with, and what once broke."""
