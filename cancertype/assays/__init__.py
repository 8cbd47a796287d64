"""What was sequenced: exome, genome, panels and hand-written lists, how it is recognised, and cases seen through it."""
