/** Goldmane's buckets, and so the times of records, are multiples of this length since the Unix epoch. */
export const bucketSeconds = 15;
