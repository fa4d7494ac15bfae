"""What this library takes, and what its peers take: ``make bench``. Nothing here can fail a test."""
