/** The process log: JSON lines on standard error. */
import { pino } from 'pino';
import type { Logger } from '../types/logger.ts';

const secretNames = [
  'authorization',
  'api_key',
  'apiKey',
  'x-api-key',
  'password',
  'secret',
  'client_secret',
  'token',
  'access_token',
  'cookie',
];

/** Nobody should log a secret; should it happen all the same, these names are masked one and two levels down. */
const redact = {
  paths: secretNames.flatMap((name) => [`["${name}"]`, `*["${name}"]`, `*.*["${name}"]`]),
  censor: '***',
};

export type LogLevel = 'silent' | 'error' | 'warn' | 'info' | 'debug';

/** Writes asynchronously in batches; `flush` before the process ends. */
export function createLogger(level: LogLevel): Logger & { flush(): void } {
  const sink = pino.destination({ dest: 2, sync: false });
  const logger = pino(
    { level, base: null, timestamp: pino.stdTimeFunctions.isoTime, redact, formatters: { level: (label) => ({ level: label }) } },
    sink,
  );
  return Object.assign(logger, {
    flush(): void {
      sink.flushSync();
    },
  });
}
