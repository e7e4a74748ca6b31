/** Composition root of a worker process: the layers that a plain call needs. The primary process keeps everything else (`src/main.ts`). */
import { once } from 'node:events';
import { mkdir } from 'node:fs/promises';
import { Socket } from 'node:net';
import { join } from 'node:path';
import { createBodyBudget } from './api/bodies/body-budget.ts';
import { createCorsOrigins } from './api/cross-origin.ts';
import { createRelay } from './api/relay.ts';
import { createShutdown } from './api/shutdown.ts';
import { warmUpAfterStart } from './api/warm-up/warm-up.ts';
import { createWorkerServer } from './api/worker-server.ts';
import type { CallServices } from './application/services.ts';
import { composeAuth } from './auth/compose-auth.ts';
import { developmentIssuer } from './auth/issuer-presets.ts';
import { issuersFromSettings } from './auth/issuers.ts';
import { type Channel, openChannel } from './cluster/channel.ts';
import type { Message, WorkerStart } from './cluster/messages.ts';
import { createWorkerBodies, type WorkerBodies } from './cluster/worker-bodies.ts';
import { createWorkerLedger } from './cluster/worker-ledger.ts';
import { channelDescriptor, recordsDescriptor } from './cluster/worker-process.ts';
import { createWorkerQuota, type WorkerQuota } from './cluster/worker-quota.ts';
import { composeConfig } from './config/compose-config.ts';
import { createPersonNames } from './config/person-names.ts';
import { readSettings, type Settings } from './config/settings.ts';
import { demoProgram } from './demo-configuration.ts';
import { composeDispatch } from './dispatch/compose-dispatch.ts';
import { loadTokenizerAfterStart } from './models/estimate-usage.ts';
import { composeOutbound, networkServices } from './outbound/compose-outbound.ts';
import { builtInFolders } from './plugins/built-in-folders.ts';
import { loadPlugins } from './plugins/loader.ts';
import type { AuditAct } from './storage/audit.ts';
import { composeThoughts } from './storage/compose-thoughts.ts';
import type { Database } from './storage/database.ts';
import { loadMasterKeys } from './storage/master-key.ts';
import { createNodeRegistry } from './storage/node-registry.ts';
import { openDatabase } from './storage/open-database.ts';
import { connectRedis } from './storage/redis.ts';
import { createSecretBox, derivedKeys, type SecretBox } from './storage/secret-box.ts';
import { createLogger } from './telemetry/log.ts';
import { startIdleMemory } from './telemetry/start-idle-memory.ts';
import { createTracing } from './telemetry/traces/tracing.ts';
import { absentService } from './types/absent-service.ts';
import type { DeploymentUpdate } from './types/dispatch.ts';
import type { Logger } from './types/logger.ts';
import type { PluginServices } from './types/plugin.ts';
import { version } from './types/version.ts';

/** The time in milliseconds between the end of the calls and that of their connections. */
const lastWordsMs = 2_000;
/** The longest life of a process without its primary, in milliseconds. */
const longestOrphanMs = 2 * lastWordsMs;
/** While it closes, idle connections are looked for at this interval. */
const idleEveryMs = 50;

/** Calls that need such a service are relayed before. */
const ofPrimary = <T extends object>(name: string): T => absentService('A worker process', name);

/** A database whose watchers also learn of a change from the primary process, which is faster. */
function notified(database: Database): Database & { changed(): void } {
  const listeners = new Set<() => void>();
  return {
    ...database,
    watch(listener) {
      listeners.add(listener);
      const stop = database.watch(listener);
      return () => {
        listeners.delete(listener);
        stop();
      };
    },
    changed: () => listeners.forEach((listener) => listener()),
  };
}

interface Worker {
  take(connection: Socket): void;
  reserved: WorkerQuota['reserved'];
  admitted: WorkerBodies['admitted'];
  follow(update: DeploymentUpdate): void;
  changed(): void;
  drain(): void;
  /** May be called again, with a shorter grace. */
  close(graceMs: number): Promise<void>;
  /** Without the primary process nothing can be recorded: ends all calls explicitly. */
  lost(): Promise<void>;
}

async function composeServices(settings: Settings, start: WorkerStart, channel: Channel, logger: Logger, owned: AsyncDisposableStack) {
  const url = `http://${settings.host.includes(':') ? `[${settings.host}]` : settings.host}:${settings.port}`;
  const send = channel.send.bind(channel);
  const outbound = composeOutbound({ ...settings, owned });
  const configured = await issuersFromSettings(settings.oauth);
  const { developmentIssuer: ownIssuer } = start;
  const issuers = ownIssuer === null ? configured : [developmentIssuer(ownIssuer, url)];
  const database = notified(await openDatabase({ url: settings.databaseUrl, dataDir: settings.dataDir, logger }));
  owned.defer(() => database.close());
  const master = loadMasterKeys(settings);
  const boxFor = (purpose: string): SecretBox => createSecretBox(derivedKeys(master, purpose));

  const untrusted = { guard: outbound.untrustedGuard, fetch: outbound.untrustedClient.fetch };
  const identity = await composeAuth({
    untrusted,
    settings: { ...settings, dataDir: start.folder },
    logger,
    url,
    issuers,
    database,
    master,
    owned,
  });
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
  const config = await composeConfig({
    storage: { database, master, boxFor },
    people: createPersonNames(issuers.map(({ issuer }) => issuer)),
    registry,
    services,
    developerServices,
    proxied: outbound.proxied,
    dataDir: start.folder,
    catalogueFile,
    timeZones,
    logger,
    owned,
  });
  const nodes = createNodeRegistry({ database, version, logger });
  owned.use(nodes);
  nodes.serves(config.current().revision);
  send(['serves', config.current().revision]);
  config.onSwap((snapshot) => {
    nodes.serves(snapshot.revision);
    send(['serves', snapshot.revision]);
  });

  const redis =
    settings.redisUrl === null ? null : await connectRedis({ url: settings.redisUrl, patienceMs: settings.redisTimeoutMs, logger });
  if (redis !== null) owned.use(redis);
  const thoughts = composeThoughts({ database, master, boxFor }, redis, owned, true);
  const audit = { append: (act: AuditAct) => records.send(['audit', act]) };
  const metrics = {
    circuitTurned: (deployment: string, state: 'closed' | 'half-open' | 'open') => send(['circuit', deployment, state]),
    probed: () => {},
  };
  const { dispatcher } = composeDispatch({ config, outbound, registry, thoughts, metrics, audit, logger, owned });
  dispatcher.deployments.onUpdate((update) => send(['deployment', update]));
  const tracing = settings.traces === null ? null : await createTracing(settings.traces, { version, logger });
  if (tracing !== null) owned.use(tracing);
  const quota = createWorkerQuota(send);
  const bodies = createWorkerBodies(send);
  const ledger = createWorkerLedger((message) => records.send(message));
  owned.use(ledger);
  const calls: CallServices = {
    answers: ofPrimary('cache of answers'),
    approvals: ofPrimary('approvals'),
    dispatcher,
    catalogue: ofPrimary('catalogue of tools'),
    quota,
    people: identity.people,
    states: ofPrimary('states of chats with tools'),
    thoughts,
    ledger,
    backgroundRuns: ofPrimary('background runs'),
    // Only calls that ask not to be stored are served here.
    responses: null,
    tracing,
    logger,
  };
  return { url, issuers, identity, config, calls, quota, bodies, audit, registry, changed: () => database.changed() };
}

async function startWorker(start: WorkerStart, channel: Channel): Promise<Worker> {
  const settings = readSettings({ ...start.env });
  const logger = createLogger(settings.logLevel);
  const owned = new AsyncDisposableStack();
  owned.defer(() => logger.flush());
  const { url, issuers, identity, config, calls, quota, bodies, audit, registry, changed } = await composeServices(
    settings,
    start,
    channel,
    logger,
    owned,
  );
  const shutdown = createShutdown();
  const { revocations } = identity;
  /** Tenants whose first call was relayed, so that the primary process has prepared them. */
  const prepared = new Set<string>();
  const app = await createWorkerServer({
    services: calls,
    relay: createRelay({ socketPath: start.socketPath, isStopping: () => shutdown.phase() !== 'serving' }),
    isPrepared(tenant) {
      if (settings.mode !== 'development' || prepared.has(tenant)) return true;
      prepared.add(tenant);
      return false;
    },
    publicUrl: settings.publicUrl ?? url,
    recheckMs: settings.recheckSeconds * 1_000,
    unreadMs: settings.unreadSeconds * 1_000,
    pingMs: settings.pingSeconds * 1_000,
    credentials: identity.credentials,
    config,
    audit,
    homeTenant: issuers[0]?.mapping.tenant ?? issuers[0]?.mapping.defaultTenant ?? 'default',
    docs: settings.docs,
    corsOrigins: createCorsOrigins(settings.corsOrigins),
    logger,
    onRefusal: (refusal) => channel.send(['refused', refusal]),
    bodyLimit: settings.bodyLimit,
    primary: bodies,
    bodyBudget: createBodyBudget({ ...settings.bodies, mostOfAll: Math.ceil(settings.bodies.mostOfAll / start.processes) }),
    slowBodySeconds: settings.slowBodySeconds,
    quota,
    version,
    shutdown,
    onRevocation: (listener) => revocations.onChange(listener),
  });
  owned.defer(() => app.close());
  // Connections come from the primary process. The time limits of headers and bodies need a server that listens.
  await mkdir(start.folder, { recursive: true, mode: 0o700 });
  await app.listen({ path: join(start.folder, 'http.sock') });
  owned.use(loadTokenizerAfterStart(logger));
  if (settings.warmUp) owned.use(warmUpAfterStart({ registry, isBusy: () => shutdown.inProgress.size > 0, logger }));
  const connections = new Set<Socket>();

  const close = async (graceMs: number): Promise<void> => {
    shutdown.close();
    const idle = setInterval(() => app.server.closeIdleConnections(), idleEveryMs);
    let force = setTimeout(() => {
      shutdown.endAll();
      force = setTimeout(() => connections.forEach((connection) => connection.destroy()), lastWordsMs);
    }, graceMs);
    while (connections.size > 0) await once([...connections][0] as Socket, 'close');
    clearInterval(idle);
    clearTimeout(force);
    await owned.disposeAsync();
  };
  return {
    take(connection) {
      connections.add(connection);
      connection.on('close', () => connections.delete(connection));
      app.server.emit('connection', connection);
      connection.resume();
    },
    reserved: (id, result) => quota.reserved(id, result),
    admitted: (id, result) => bodies.admitted(id, result),
    follow: (update) => calls.dispatcher.deployments.follow(update),
    changed,
    drain: () => shutdown.drain(),
    close,
    lost() {
      quota.lost();
      bodies.lost();
      return close(0);
    },
  };
}

/** The signals of a terminal or a service manager are for the primary process, which tells its workers. */
process
  .on('SIGTERM', () => {})
  .on('SIGINT', () => {})
  .on('SIGHUP', () => {});
/** Connections that arrive before the worker is composed. The primary process hands none over, but the order of two channels is open. */
let worker: Worker | null = null;
process.on('message', (_message, connection) => {
  if (connection instanceof Socket && worker !== null) worker.take(connection);
});

async function begin(start: WorkerStart): Promise<void> {
  try {
    worker = await startWorker(start, channel);
    startIdleMemory();
    channel.send(['ready']);
  } catch (thrown) {
    channel.send(['failed', thrown instanceof Error ? thrown.message : String(thrown)]);
    await channel.flushed();
    process.exit(1);
  }
}

async function end(graceMs: number): Promise<void> {
  await worker?.close(graceMs);
  await Promise.all([channel.flushed(), records.flushed()]);
  process.exit(0);
}

const fail = (thrown: unknown): never => {
  process.stderr.write(`${String(thrown instanceof Error ? thrown.stack : thrown)}\n`);
  process.exit(1);
};

function receive(message: Message): void {
  switch (message[0]) {
    case 'start':
      begin(message[1]).catch(fail);
      return;
    case 'reserved':
      worker?.reserved(message[1], message[2]);
      return;
    case 'body-admitted':
      worker?.admitted(message[1], message[2]);
      return;
    case 'deployment':
      worker?.follow(message[1]);
      return;
    case 'changed':
      worker?.changed();
      return;
    case 'ping':
      channel.send(['pong']);
      return;
    case 'drain':
      worker?.drain();
      return;
    case 'close':
      end(message[1]).catch(fail);
      break;
    default:
  }
}

/** The primary process has ended. Callers get an error, so that none waits for an answer or takes a part for the whole. */
function orphaned(): void {
  const exit = (): never => process.exit(1);
  setTimeout(exit, longestOrphanMs);
  (worker?.lost() ?? Promise.resolve()).then(exit, exit);
}

const channelOn = (fd: number): Channel => openChannel(new Socket({ fd, readable: true, writable: true }), receive, orphaned);
const channel = channelOn(channelDescriptor);
/** Written only: nothing comes back. */
const records = channelOn(recordsDescriptor);
