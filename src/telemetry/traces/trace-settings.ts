/** OpenTelemetry's environment variables (https://opentelemetry.io/docs/specs/otel/configuration/sdk-environment-variables/), as far as Pailou reads them itself. The exporter reads the rest: headers, timeout, compression, certificates. */

const samplers = [
  'always_on',
  'always_off',
  'traceidratio',
  'parentbased_always_on',
  'parentbased_always_off',
  'parentbased_traceidratio',
] as const;

export type SamplerName = (typeof samplers)[number];

export interface TraceSettings {
  readonly protocol: 'http/protobuf' | 'http/json';
  readonly sampler: SamplerName;
  /** The share of traces for a sampler by ratio, from 0 to 1. */
  readonly ratio: number;
  /** Spans wait at most so long for a batch, in milliseconds. */
  readonly delayMs: number;
  /** Further spans are dropped while so many wait. */
  readonly queue: number;
  readonly batch: number;
}

/** OpenTelemetry's own defaults for batches of spans. */
const defaults = { delayMs: 5_000, queue: 2_048, batch: 512 };

/** Null when no endpoint is named, or traces are switched off. `complain` gets the name of each invalid variable and what is expected. */
export function readTraceSettings(env: NodeJS.ProcessEnv, complain: (name: string, expected: string) => void): TraceSettings | null {
  const read = (name: string): string => env[name]?.trim() ?? '';
  const oneOf = (...names: readonly string[]): readonly [string, string] => {
    const set = names.find((name) => read(name) !== '') ?? names[0] ?? '';
    return [set, read(set)];
  };
  const [endpointName, endpoint] = oneOf('OTEL_EXPORTER_OTLP_TRACES_ENDPOINT', 'OTEL_EXPORTER_OTLP_ENDPOINT');
  const exporter = read('OTEL_TRACES_EXPORTER');
  if (endpoint === '' || exporter === 'none' || read('OTEL_SDK_DISABLED').toLowerCase() === 'true') return null;
  if (exporter !== '' && exporter !== 'otlp') complain('OTEL_TRACES_EXPORTER', 'otlp or none');
  if (!/^https?:$/.test(URL.canParse(endpoint) ? new URL(endpoint).protocol : '')) complain(endpointName, 'an http or https address');

  const [protocolName, protocol] = oneOf('OTEL_EXPORTER_OTLP_TRACES_PROTOCOL', 'OTEL_EXPORTER_OTLP_PROTOCOL');
  if (protocol !== '' && protocol !== 'http/protobuf' && protocol !== 'http/json')
    complain(protocolName, 'http/protobuf or http/json (grpc is not supported; collectors take HTTP on port 4318)');

  const sampler = samplers.find((name) => name === (read('OTEL_TRACES_SAMPLER') || 'parentbased_always_on'));
  if (sampler === undefined) complain('OTEL_TRACES_SAMPLER', `one of ${samplers.join(', ')}`);
  const argument = read('OTEL_TRACES_SAMPLER_ARG');
  const ratio = argument === '' ? 1 : Number(argument);
  if (!(ratio >= 0 && ratio <= 1)) complain('OTEL_TRACES_SAMPLER_ARG', 'a number from 0 to 1');

  const whole = (name: string, otherwise: number): number => {
    const text = read(name);
    if (text === '' || (/^\d{1,7}$/.test(text) && Number(text) > 0)) return text === '' ? otherwise : Number(text);
    complain(name, 'a whole number above 0');
    return otherwise;
  };
  return {
    protocol: protocol === 'http/json' ? protocol : 'http/protobuf',
    sampler: sampler ?? 'parentbased_always_on',
    ratio,
    delayMs: whole('OTEL_BSP_SCHEDULE_DELAY', defaults.delayMs),
    queue: whole('OTEL_BSP_MAX_QUEUE_SIZE', defaults.queue),
    batch: whole('OTEL_BSP_MAX_EXPORT_BATCH_SIZE', defaults.batch),
  };
}
