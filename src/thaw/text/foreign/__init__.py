"""Tokenizers of others: read as transformers' AutoTokenizer reads them, or refused by name."""
