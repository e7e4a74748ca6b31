/** Exports recorded runs as OpenTelemetry traces over OTLP. Off the calls' path: spans are made from the records of ended runs, and sent in batches. */
import type { Ledger, RunTrace } from '../../types/run.ts';
import type { Logger } from '../../types/logger.ts';
import { readTraceparent, traceIdOf } from './trace-context.ts';
import type { SamplerName, TraceSettings } from './trace-settings.ts';

export interface Tracing extends AsyncDisposable {
  /** The place of a new root run: in the caller's trace, or in one that has the id of the run. */
  begin(runId: string, traceparent: string | undefined): RunTrace;
  /** A ledger that exports the spans of each record and passes it on. */
  tracing(ledger: Ledger): Ledger;
}

/** The longest wait for the collector when the process stops, in milliseconds. */
const shutdownMs = 3_000;
/** A collector that is away is reported once in this time, in milliseconds. */
const reportedEveryMs = 60_000;

/** `null`: the caller sampled nothing, or there is no caller's trace. */
function isSampled(name: SamplerName, inRatio: (traceId: string) => boolean, traceId: string, remote: boolean | null): boolean {
  if (name.startsWith('parentbased') && remote !== null) return remote;
  if (name.endsWith('traceidratio')) return inRatio(traceId);
  return name.endsWith('always_on');
}

/** Loads OpenTelemetry's packages. The exporter reads its variables from the environment of the process. */
export async function createTracing(settings: TraceSettings, { version, logger }: { version: string; logger: Logger }): Promise<Tracing> {
  const { diag, DiagLogLevel } = await import('@opentelemetry/api');
  const { BatchSpanProcessor, SamplingDecision, TraceIdRatioBasedSampler } = await import('@opentelemetry/sdk-trace');
  const { defaultResource, detectResources, envDetector, resourceFromAttributes } = await import('@opentelemetry/resources');
  const { OTLPTraceExporter } =
    settings.protocol === 'http/json'
      ? await import('@opentelemetry/exporter-trace-otlp-http')
      : await import('@opentelemetry/exporter-trace-otlp-proto');
  const { ROOT_CONTEXT } = await import('@opentelemetry/api');
  const { spansOf } = await import('./spans.ts');

  let reportedAt = -Infinity;
  const report = (message: string, ...details: readonly unknown[]): void => {
    if (performance.now() - reportedAt < reportedEveryMs) return;
    reportedAt = performance.now();
    logger.warn({ details: details.map(String).join(' ').slice(0, 500) }, `traces: ${message}`);
  };
  const quiet = (): void => {};
  diag.setLogger(
    { error: report, warn: report, info: quiet, debug: quiet, verbose: quiet },
    { logLevel: DiagLogLevel.WARN, suppressOverrideMessage: true },
  );

  const named = resourceFromAttributes({ 'service.name': 'pailou', 'service.version': version });
  const resource = defaultResource()
    .merge(named)
    .merge(detectResources({ detectors: [envDetector] }));
  const processor = new BatchSpanProcessor({
    exporter: new OTLPTraceExporter(),
    scheduledDelayMillis: settings.delayMs,
    maxQueueSize: settings.queue,
    maxExportBatchSize: Math.min(settings.batch, settings.queue),
  });
  const sampler = new TraceIdRatioBasedSampler(settings.ratio);
  const inRatio = (traceId: string): boolean =>
    sampler.shouldSample(ROOT_CONTEXT, traceId).decision === SamplingDecision.RECORD_AND_SAMPLED;

  return {
    begin(runId, traceparent) {
      const remote = readTraceparent(traceparent);
      const traceId = remote?.traceId ?? traceIdOf(runId);
      const sampled = isSampled(settings.sampler, inRatio, traceId, remote?.sampled ?? null);
      return { traceId, parentSpanId: remote?.spanId ?? null, sampled };
    },
    tracing: (ledger) => ({
      ...ledger,
      record(run) {
        ledger.record(run);
        if (run.trace?.sampled !== true) return;
        for (const span of spansOf(run, run.trace, resource, version)) processor.onEnd(span);
      },
    }),
    async [Symbol.asyncDispose]() {
      const ended = processor.shutdown().catch((thrown: unknown) => report('the last spans were lost', thrown));
      const { promise, resolve } = Promise.withResolvers<void>();
      const timer = setTimeout(resolve, shutdownMs);
      await Promise.race([ended, promise]);
      clearTimeout(timer);
    },
  };
}
