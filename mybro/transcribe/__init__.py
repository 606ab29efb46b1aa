"""Speech to text: recognisers in worker processes, behind one Protocol."""
