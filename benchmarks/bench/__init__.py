"""What the benchmark scripts share: measuring, the rivals, the text."""
