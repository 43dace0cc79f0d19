"""One document, validated as a whole."""
