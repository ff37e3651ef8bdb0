"""The encryption machine (加密机, HSM): it holds roots and answers terminals' requests."""
