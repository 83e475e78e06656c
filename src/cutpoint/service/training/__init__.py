"""The process that trains, and what starts it; it meets the desk in the store alone."""
