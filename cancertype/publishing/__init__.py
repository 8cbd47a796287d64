"""The model and dataset cards, and the Hugging Face Hub."""
