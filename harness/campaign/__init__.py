"""Campaigns: cards, and this project's own chip, tried for as long as one likes; what fails is made small and kept."""
