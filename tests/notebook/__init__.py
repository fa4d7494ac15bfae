"""What pages show: figures and source."""
