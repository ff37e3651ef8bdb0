"""The session: commands as they come, in words, judged by the monitor; live or of a recorded trace."""
