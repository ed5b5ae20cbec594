"""The three claims: does transfer save time, improve accuracy, need fewer labels? Computed from run folders alone."""
