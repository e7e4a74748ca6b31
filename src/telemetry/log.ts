/** The process log: JSON lines on standard error. */
import { pino } from 'pino';
import { GatewayError } from '../types/errors.ts';
import type { Logger } from '../types/logger.ts';
import { standardSink } from './line-sink.ts';

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

/** Secrets must not be logged. As a second line of defence, fields with these names are masked one and two levels down. */
const redact = {
  paths: secretNames.flatMap((name) => [`["${name}"]`, `*["${name}"]`, `*.*["${name}"]`]),
  censor: '***',
};

/** An expected failure is logged by its message. Only an internal error is logged with its stack. */
function describeError(error: unknown): unknown {
  if (!(error instanceof GatewayError) || error.code === 'internal_error')
    return error instanceof Error ? pino.stdSerializers.err(error) : error;
  return { code: error.code, message: error.message, details: error.details };
}

export type LogLevel = 'silent' | 'error' | 'warn' | 'info' | 'debug';

/** Writes asynchronously in batches; `flush` before the process ends. */
export function createLogger(level: LogLevel): Logger & { flush(): void } {
  const sink = standardSink(2);
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
