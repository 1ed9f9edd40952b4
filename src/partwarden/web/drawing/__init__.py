"""Pictures, as numbers for SVG: a time line to scale, how a set grew, how far it reached."""
