"""What every picture stands on: the base class, settings, the bundle, the reader's own layer."""
