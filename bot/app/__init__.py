"""The program: the list of features, and the commands and processes built from it. The only room that may import all."""
