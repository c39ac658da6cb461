"""Deep linear networks: exact solutions, simulations, landscapes and measurements."""
