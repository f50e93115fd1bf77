"""Type I JAK inhibitors: dosing, concentration, occupancy."""
