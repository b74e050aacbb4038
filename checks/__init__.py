"""What is said about a file before anything of it is stored."""
