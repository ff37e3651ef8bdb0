"""The electronic card (电子社会保障卡), its credential and its QR code."""
