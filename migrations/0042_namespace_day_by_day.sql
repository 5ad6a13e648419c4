-- Every completeness report reads the newest rolled-up day.
create index namespace_day_by_day on namespace_day (day);
