"""How passages are found, filtered, ranked and presented to whoever reads them."""
