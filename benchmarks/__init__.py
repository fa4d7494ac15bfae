"""What this library takes, and what its peers take: ``make bench``. No test depends on it."""
