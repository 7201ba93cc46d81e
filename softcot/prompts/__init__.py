"""What the two models are told, and as which tokens they read it."""
