"""How documents become chunks, under whose claim."""
