/** The process log: JSON lines on standard error. */
import { pino } from 'pino';
import { GatewayError } from '../types/errors.ts';
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

/** An expected failure is told by its words; only a fault of our own needs its stack. */
function describeError(error: unknown): unknown {
  if (!(error instanceof GatewayError) || error.code === 'internal_error')
    return error instanceof Error ? pino.stdSerializers.err(error) : error;
  return { code: error.code, message: error.message, details: error.details };
}

export type LogLevel = 'silent' | 'error' | 'warn' | 'info' | 'debug';

/** Writes asynchronously in batches; `flush` before the process ends. */
export function createLogger(level: LogLevel): Logger & { flush(): void } {
  const sink = pino.destination({ dest: 2, sync: false });
  const logger = pino(
    {
      level,
      base: null,
      timestamp: pino.stdTimeFunctions.isoTime,
      redact,
      serializers: { err: describeError },
      formatters: { level: (label) => ({ level: label }) },
    },
    sink,
  );
  return Object.assign(logger, {
    flush(): void {
      sink.flushSync();
    },
  });
}
