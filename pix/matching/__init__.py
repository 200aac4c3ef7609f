"""Which records are of one person, said by a machine: Fellegi and Sunter's weights, caps, and vetoes. Pure, no SQL."""
