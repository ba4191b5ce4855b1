"""How an answer is made of passages, and checked against them."""
