export { findTemporal, TEMPORAL_CLI_VERSION, type FindOptions } from './temporal/find.ts';
export { startTemporalServer, type TemporalServer, type TemporalServerOptions } from './temporal/server.ts';
