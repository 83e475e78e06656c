"""Who is asked what: hands out questions, takes answers, and prepares one round after another."""
