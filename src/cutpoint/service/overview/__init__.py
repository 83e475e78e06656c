"""Where a campaign stands, for pages, reports and programs: numbers, drawings, labels out."""
