"""An estimate of token counts that needs no vocabulary and so serves every model."""
