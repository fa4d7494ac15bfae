"""What makes and checks the book, its labs and the library; none of it is installed."""
