"""What is counted in a case: burden, spectrum, vocabulary, feature matrix, augmented copies of training cases."""
