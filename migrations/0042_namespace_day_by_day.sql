-- The newest day that was rolled up is asked for by every completeness report.
create index namespace_day_by_day on namespace_day (day);
