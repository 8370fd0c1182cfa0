"""Which parcels, by which tool, in which year: parcels × routes × years under budget, quota, staff and targets."""
