"""What pages tell: of the fleet, of a set, of jobs; read and put in order, and not yet drawn."""
