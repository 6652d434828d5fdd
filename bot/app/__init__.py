"""The program: the list of features, and the commands and processes built from it. It may import all."""
