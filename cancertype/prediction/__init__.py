"""From a file or a text to an answer: inputs, predictor, explanation, answers."""
