"""Raw files of the real sources: releases, downloads, checksums."""
