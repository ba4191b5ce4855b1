"""Files, from their upload to the state that subscribers are told."""
