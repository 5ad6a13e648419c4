import { DefaultLogger, type LogEntry, type Logger as TemporalLogger } from '@temporalio/worker';
import { pino, type Logger } from 'pino';

/** JSON lines on stdout. Errors are logged with message and stack; secrets are never logged. */
export function createLog(level: string): Logger {
  return pino({
    name: 'goldmane-flow-trail',
    level,
    timestamp: pino.stdTimeFunctions.isoTime,
    formatters: { level: (label) => ({ level: label }) },
    redact: { paths: ['*.password', '*.connectionString', '*.DATABASE_URL'], censor: '[secret]' },
  });
}

/** SDK warnings about something intended: the second worker runs only activities. */
const expected = new Set(['No workflows registered, not polling for workflow tasks']);

/** The SDK's own messages, through the same logger. */
export function temporalLogger(log: Logger): TemporalLogger {
  const child = log.child({ component: 'temporal' });
  return new DefaultLogger('DEBUG', ({ level, message, meta }: LogEntry) => {
    const { error, ...rest }: Record<string | symbol, unknown> = meta ?? {};
    const data = error === undefined ? rest : { ...rest, err: error };
    switch (level) {
      case 'TRACE':
        return child.trace(data, message);
      case 'DEBUG':
        return child.debug(data, message);
      case 'INFO':
        return child.info(data, message);
      case 'WARN':
        return expected.has(message) ? child.debug(data, message) : child.warn(data, message);
      case 'ERROR':
        return child.error(data, message);
    }
  });
}
