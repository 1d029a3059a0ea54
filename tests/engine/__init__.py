"""What every family uses: models, sessions, settings, threads, and the coders of bits, symbols and signs."""
