"""Two studies side by side: what changed in their configs, which differences in score are real."""
