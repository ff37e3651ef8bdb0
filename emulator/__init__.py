"""The virtual social security card: chip, file system, keys and reader. It knows no terminal."""
