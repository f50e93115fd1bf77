"""Small multiples of the map over time."""

from mpn_abm.pictures.maps import draw_several as draw

__all__ = ["draw"]
