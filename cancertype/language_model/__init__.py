"""The base model: its weights, its tokenizer, the tokens of the labels, and the processes that share the work."""
