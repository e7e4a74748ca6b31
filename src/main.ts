/** Composition root: composes the layers from the ground up, starts them, and stops them in reverse. */
import { setTimeout as delay } from 'node:timers/promises';
import { type BodyBudget, createBodyBudget } from './api/bodies/body-budget.ts';
import { isConsoleBuilt } from './api/routes/console.ts';
import { createShutdown } from './api/shutdown.ts';
import { warmUpAfterStart } from './api/warm-up/warm-up.ts';
import { composeServer, type GatewayServer } from './admin/compose-server.ts';
import { composeApplication } from './application/compose-application.ts';
import { composeAuth, configuredIssuers } from './auth/compose-auth.ts';
import { composeCache } from './cache/compose-cache.ts';
import { applyFiles, releaseFileRows } from './config/apply-files.ts';
import type { Workers } from './cluster/workers.ts';
import { composeConfig } from './config/compose-config.ts';
import { createPersonNames } from './config/person-names.ts';
import { readSettings, type Settings } from './config/settings.ts';
import { createDemoTenants, demoProgram, seedDemo } from './demo-configuration.ts';
import { composeDispatch } from './dispatch/compose-dispatch.ts';
import { composeMcp } from './extensions/mcp/compose-mcp.ts';
import { loadTokenizerAfterStart } from './models/estimate-usage.ts';
import { composeOutbound, networkServices } from './outbound/compose-outbound.ts';
import { builtInFolders } from './plugins/built-in-folders.ts';
import { loadPlugins } from './plugins/loader.ts';
import { composeQuota } from './quota/compose-quota.ts';
import { composeThoughts } from './storage/compose-thoughts.ts';
import { composeStorage } from './storage/compose-storage.ts';
import { recordMetrics } from './storage/record-state.ts';
import { createNodeRegistry } from './storage/node-registry.ts';
import { connectRedis } from './storage/redis.ts';
import { createAccessLog } from './telemetry/access-log.ts';
import { createLogger } from './telemetry/log.ts';
import { tableSizes } from './storage/retention/table-sizes.ts';
import { createMetrics } from './telemetry/metrics.ts';
import { createTracing } from './telemetry/traces/tracing.ts';
import { GatewayError } from './types/errors.ts';
import type { Logger } from './types/logger.ts';
import type { PluginServices } from './types/plugin.ts';
import { version } from './types/version.ts';
import type { Refusal } from './types/refusal.ts';

export type Layers = Awaited<ReturnType<typeof composeLayers>>;

export interface Gateway {
  /** The address for callers, e.g. `http://127.0.0.1:8000`. */
  readonly url: string;
  /** The issuer of accepted tokens; the first of several. */
  readonly issuer: string;
  /** The text that is printed at the start. */
  readonly greeting: string;
  /**
   * Refuses new requests, lets those in progress finish for at most `graceMs`, ends the rest with `shutting_down`, records them, and
   * disposes everything. Idempotent.
   */
  close(graceMs?: number): Promise<void>;
  /** As `close`, after the node has served on, not ready, for the drain time of the settings. */
  stop(): Promise<void>;
}

/** The time in milliseconds between the end of the calls and that of their connections. */
const lastWordsMs = 2_000;
/** The time after that for what a node closes. By then a record that the database did not take is in the spool. */
const closingMs = 6_000;

/** Starts the service. Throws SettingsError or GatewayError with a message that names the remedy. */
export async function startPailou(env: NodeJS.ProcessEnv): Promise<Gateway> {
  const settings = readSettings(env);
  const logger = createLogger(settings.logLevel);
  const owned = new AsyncDisposableStack();
  try {
    return await build(settings, env, logger, owned);
  } catch (thrown) {
    await owned.disposeAsync();
    logger.flush();
    throw thrown;
  }
}

/** Every layer below HTTP, composed and started. */
export async function composeLayers(settings: Settings, logger: Logger, owned: AsyncDisposableStack, env: NodeJS.ProcessEnv = {}) {
  const url = `http://${settings.host.includes(':') ? `[${settings.host}]` : settings.host}:${settings.port}`;
  const { dataDir } = settings;
  const metrics = createMetrics();

  const outbound = composeOutbound({ ...settings, owned });
  const issuers = await configuredIssuers({ settings, logger, url, owned });
  const people = createPersonNames(issuers.map(({ issuer }) => issuer));
  const storage = await composeStorage({ settings, homeIssuer: issuers[0]?.issuer ?? null, logger, owned });
  const { database, master, ledger, audit } = storage;
  metrics.watch({
    name: 'pailou_storage_bytes',
    help: 'The size of the database: by table on PostgreSQL, used and free bytes of the file on SQLite.',
    label: 'table',
    read: () => tableSizes(database),
  });

  for (const metric of recordMetrics(storage.records)) metrics.watch(metric);
  metrics.watch({
    name: 'pailou_disk_free_bytes',
    help: 'Free bytes on the disk of the data folder.',
    label: 'folder',
    read: async () => new Map([['data', (await storage.disk.freeBytes()) ?? Number.NaN]]),
  });

  const untrusted = { guard: outbound.untrustedGuard, fetch: outbound.untrustedClient.fetch };
  const identity = await composeAuth({ untrusted, settings, logger, url, issuers, database, master, owned });
  const services: PluginServices = {
    logger,
    mode: settings.mode,
    stdioPrograms: settings.mode === 'development' ? [...settings.stdioPrograms, demoProgram] : settings.stdioPrograms,
    stdioUser: settings.stdioUser,
    ...networkServices(outbound.guard, outbound.client),
    tokenExchange: identity.tokenExchange,
  };
  const developerServices: PluginServices = { ...services, ...networkServices(outbound.developerGuard, outbound.developerClient) };
  const registry = await loadPlugins({ folders: builtInFolders, pluginsDir: settings.pluginsDir, services, logger });

  const { catalogueFile, timeZones } = settings;
  const { proxied } = outbound;
  const configParts = { storage, people, registry, services, developerServices, proxied, dataDir, catalogueFile, timeZones };
  const config = await composeConfig({ ...configParts, logger, owned });
  const home = issuers[0]?.mapping.defaultTenant ?? 'default';
  if (settings.mode === 'development') await seedDemo(config, home);
  const prepareTenant = settings.mode === 'development' ? createDemoTenants(config, home, logger) : null;
  const fileTenant = issuers[0]?.mapping.tenant ?? home;
  if (settings.configPath === null) await releaseFileRows(config, logger);
  else await applyFiles(config, { path: settings.configPath, tenant: fileTenant, env, logger });
  const nodes = createNodeRegistry({ database, version, logger });
  owned.use(nodes);
  const announce = (revision: number): void => {
    metrics.setRevision(revision);
    nodes.serves(revision);
  };
  announce(config.current().revision);
  config.onSwap((snapshot) => announce(snapshot.revision));

  const redis =
    settings.redisUrl === null ? null : await connectRedis({ url: settings.redisUrl, patienceMs: settings.redisTimeoutMs, logger });
  if (redis !== null) owned.use(redis);
  const quota = await composeQuota({
    config,
    database,
    ledger,
    master,
    audit,
    client: outbound.client,
    redis,
    withoutRedis: settings.withoutRedis,
    onRefusal: (limit, measure) => metrics.limitRefused(limit, measure),
    onAlert: (limit, result) => metrics.budgetAlerted(limit, result),
    logger,
    owned,
  });

  const thoughts = composeThoughts(storage, redis, owned, settings.workers > 1);
  const { dispatcher, startProber } = composeDispatch({ config, outbound, registry, thoughts, metrics, audit, logger, owned });
  const { catalogue, gate } = composeMcp({ config, database, audit, version, quietMs: settings.pingSeconds * 1_000, logger, owned });
  const answers = composeCache({
    memoryMb: settings.cacheMemoryMb,
    redis,
    master,
    onAsked: (capability, result) => metrics.answerSought(capability, result),
  });
  const accessLog = createAccessLog({ share: settings.accessLog });
  owned.use(accessLog);
  const tracing = settings.traces === null ? null : await createTracing(settings.traces, { version, logger });
  if (tracing !== null) owned.use(tracing);
  const callParts = { answers, dispatcher, catalogue, quota, people: identity.people, storage, thoughts };
  const onRefusal = (refusal: Refusal): void => {
    metrics.refused(refusal.code);
    accessLog.refused(refusal);
  };
  const calls = composeApplication({ ...callParts, metrics, accessLog, tracing, dataDir, logger, owned });
  return { url, issuers, metrics, onRefusal, storage, quota, config, prepareTenant, nodes, identity, calls, gate, registry, startProber };
}

/** Composes the layers, opens the server, and returns the way to stop: drain, then dispose in reverse order. */
async function build(
  settings: Settings,
  env: NodeJS.ProcessEnv,
  logger: Logger & { flush(): void },
  owned: AsyncDisposableStack,
): Promise<Gateway> {
  owned.defer(() => logger.flush());
  const layers = await composeLayers(settings, logger, owned, env);
  const { url, issuers } = layers;

  const shutdown = createShutdown();
  const bodyBudget = createBodyBudget(settings.bodies);
  const publicUrl = settings.publicUrl ?? url;
  let workers: Workers | null = null;
  const settled = (): Promise<void> | null => workers?.settled() ?? null;
  const server = await composeServer({ ...layers, settings, publicUrl, version, shutdown, bodyBudget, settled, logger });
  owned.defer(() => server.close());
  if (settings.workers > 1) workers = await serveWithWorkers(server, { settings, layers, bodyBudget, env, logger, owned });
  else await listen(settings, () => server.listen({ host: settings.host, port: settings.port }));
  layers.startProber(layers.calls.ledger);
  owned.use(loadTokenizerAfterStart(logger));
  // Worker processes warm up by themselves.
  if (settings.warmUp && settings.workers === 1)
    owned.use(warmUpAfterStart({ registry: layers.registry, isBusy: () => shutdown.inProgress.size > 0, logger }));

  let closing: Promise<void> | null = null;
  const close = async (graceMs: number): Promise<void> => {
    shutdown.close();
    const closed = workers?.close(graceMs);
    logger.info({ calls: shutdown.inProgress.size }, 'stopping: no new calls; active calls finish');
    let force = setTimeout(() => {
      shutdown.endAll();
      // The last words need a moment to get out. A client that reads nothing does not hold the node.
      force = setTimeout(() => server.server.closeAllConnections(), lastWordsMs);
    }, graceMs);
    // A connection that was busy when the stop began becomes idle after its answer. Only this timer closes it.
    const idle = setInterval(() => server.server.closeIdleConnections(), 50);
    await closed;
    await owned.disposeAsync().finally(() => {
      clearTimeout(force);
      clearInterval(idle);
    });
  };
  const stop = async (): Promise<void> => {
    shutdown.drain();
    workers?.drain();
    logger.info({ seconds: settings.drainSeconds }, 'stopping: not ready, still serving');
    await delay(settings.drainSeconds * 1_000);
    const graceMs = settings.graceSeconds * 1_000;
    const ended = Promise.withResolvers<void>();
    const late = setTimeout(
      () => {
        logger.warn({}, 'a part of this node does not close, such as a database that does not answer; the node ends without it');
        logger.flush();
        ended.resolve();
      },
      graceMs + lastWordsMs + closingMs,
    );
    await Promise.race([close(graceMs), ended.promise]).finally(() => clearTimeout(late));
  };
  return {
    url,
    issuer: issuers[0]?.issuer ?? '',
    greeting: greetingOf(settings, url, issuers.map(({ issuer }) => issuer).join(', ')),
    close: (graceMs = settings.graceSeconds * 1_000) => (closing ??= close(graceMs)),
    stop: () => (closing ??= stop()),
  };
}

/** Starts the worker processes, and listens for them: this process serves what they relay, over a socket. */
async function serveWithWorkers(
  server: GatewayServer,
  parts: {
    settings: Settings;
    layers: Layers;
    bodyBudget: BodyBudget;
    env: NodeJS.ProcessEnv;
    logger: Logger;
    owned: AsyncDisposableStack;
  },
): Promise<Workers> {
  const { settings, layers, bodyBudget, env, logger, owned } = parts;
  // Loaded only here: one process needs none of it.
  const { serveBehindWorkers } = await import('./api/behind-workers.ts');
  const workers = await serveBehindWorkers({
    server,
    program: new URL('./worker.ts', import.meta.url),
    settings,
    layers,
    bodyBudget,
    env,
    logger,
    owned,
  });
  await listen(settings, () => workers.listen(settings.host, settings.port));
  return workers;
}

async function listen(settings: Settings, open: () => Promise<unknown>): Promise<void> {
  try {
    await open();
  } catch (cause) {
    const code = cause instanceof Error && 'code' in cause ? String(cause.code) : '';
    const place = `${settings.host}:${settings.port}`;
    const reason =
      code === 'EADDRINUSE'
        ? `The address ${place} is taken by another program. Stop it, or set PAILOU_PORT to a free port, e.g. PAILOU_PORT=8001.`
        : `Cannot listen on ${place} (${code || String(cause)}). Check PAILOU_HOST and PAILOU_PORT.`;
    throw new GatewayError('internal_error', reason, { cause });
  }
}

function greetingOf(settings: Settings, url: string, issuer: string): string {
  // Programs that collect a service's output expect JSON lines.
  if (settings.mode === 'production' && !process.stdout.isTTY) {
    const time = new Date().toISOString();
    return JSON.stringify({ level: 'info', time, msg: `Pailou ${version} is open`, url, documentation: `${url}/docs`, issuer });
  }
  const places = [...(isConsoleBuilt() ? [`console: ${url}/console/`] : []), `documentation: ${url}/docs`];
  const lines = [`Pailou ${version} is open at ${url}  (${places.join(', ')})`];
  if (settings.oauth.issuer === null && settings.oauth.file === null) {
    lines.push(
      '',
      `DEVELOPMENT identity service at ${issuer}: everyone on this machine can get a token for admin, developer, user or viewer.`,
      'The demo models are not AI. Try the gate:',
      '',
      `curl -N ${url}/v1/chat/completions -H "Authorization: Bearer $(npx pailou token --role user)" -H 'Content-Type: application/json' -d '{"model":"demo/echo","stream":true,"messages":[{"role":"user","content":"Hello, gate!"}]}'`,
    );
  } else {
    lines.push(`Tokens come from ${issuer}.`);
  }
  return `${lines.join('\n')}\n`;
}
