"""Which of 26 cancers is it? Open mutation data in, a fine-tuned Gemma and an honest report out."""
