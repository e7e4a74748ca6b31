/** Composition root: the only file that knows everything. Builds the house from the ground up and takes it down in reverse. */
import { fileURLToPath } from 'node:url';
import { addControl } from './admin/control-routes.ts';
import { createBackgroundRuns } from './application/background/background-runs.ts';
import { addCalls } from './api/calls-routes.ts';
import type { CallServices } from './application/services.ts';
import { addIdentity } from './api/routes/identity.ts';
import { addRouting } from './api/routes/routing.ts';
import { addOperation } from './api/routes/operation.ts';
import { createServer } from './api/server.ts';
import { addKeyExchange } from './api/routes/key-exchange.ts';
import { addProtectedResource } from './api/routes/protected-resource.ts';
import { addSignIn } from './api/routes/sign-in.ts';
import { createAnswerCache } from './cache/answer-cache.ts';
import { createMemoryAnswers } from './cache/memory-store.ts';
import { createRedisAnswers } from './cache/redis-store.ts';
import { createConfigService } from './config/service.ts';
import { readSettings, type Settings } from './config/settings.ts';
import { seedDemo } from './demo-configuration.ts';
import { composeIdentity } from './auth/compose-auth.ts';
import { createDispatcher } from './dispatch/dispatcher.ts';
import { createProber } from './dispatch/prober.ts';
import { createApprovalGate } from './application/tools/tool-approval.ts';
import { createCatalogue } from './extensions/mcp/catalogue/catalogue.ts';
import { createMcpGate } from './extensions/mcp/gate/gate.ts';
import { createModelInvoker } from './models/invoke.ts';
import { createPictureFetcher } from './models/image-fetcher.ts';
import { createOutboundClient } from './outbound/client.ts';
import { createOutboundGuard } from './outbound/guard.ts';
import { loadPlugins } from './plugins/loader.ts';
import { createKnownSpend } from './quota/ledger-sync.ts';
import { createQuota } from './quota/quota.ts';
import { createRedisStore } from './quota/redis-store.ts';
import { createAuditLog } from './storage/audit.ts';
import { createAuditChain } from './storage/audit-chain.ts';
import { createConfigStore } from './storage/config-store.ts';
import { openDatabase } from './storage/open-database.ts';
import { createLedger } from './storage/ledger.ts';
import { migrateOrKeepTrying } from './storage/migrate-or-keep-trying.ts';
import { createResponseStore } from './storage/response-store.ts';
import { createNodeBook } from './storage/node-registry.ts';
import { createOpenRuns } from './storage/in-flight-runs.ts';
import { connectRedis } from './storage/redis.ts';
import { createPeopleReader } from './storage/people-reader.ts';
import { createRunContents } from './storage/run-contents.ts';
import { createRunReader } from './storage/run-reader.ts';
import { createSpendReader } from './storage/spend-reader.ts';
import { loadMasterKeys } from './storage/master-key.ts';
import { createChatStates } from './storage/tool-loop-state.ts';
import { createAccounts } from './storage/mcp-accounts.ts';
import { createPinStore } from './storage/mcp-catalogue.ts';
import { createSecretBox, derivedKeys } from './storage/secret-box.ts';
import { createUsageReader } from './storage/usage-reader.ts';
import { createLogger } from './telemetry/log.ts';
import { createMetrics } from './telemetry/metrics.ts';
import { GatewayError } from './types/errors.ts';
import type { Logger } from './types/logger.ts';
import type { PluginServices } from './types/plugin.ts';

export interface Gateway {
  /** Where callers reach it, e.g. `http://127.0.0.1:8000`. */
  readonly url: string;
  /** The issuer whose tokens it takes, the first of several. */
  readonly issuer: string;
  /** What to show the person who started it. */
  readonly greeting: string;
  /** Finishes what is under way (for at most `graceMs`), books it, and lets go of everything. Idempotent. */
  close(graceMs?: number): Promise<void>;
}

const version = '0.1.0';

/** Built-in plugins live in these folders; the loader finds each file. */
const pluginFolders = ['providers', 'models/vendor-formats', 'dispatch/strategies', 'extensions/skills', 'extensions/mcp/transports'].map(
  (folder) => fileURLToPath(new URL(folder, import.meta.url)),
);

/** Starts the whole service. Throws SettingsError or GatewayError with a sentence that names the remedy. */
export async function startPailou(env: NodeJS.ProcessEnv): Promise<Gateway> {
  const settings = readSettings(env);
  const logger = createLogger(settings.logLevel);
  const owned = new AsyncDisposableStack();
  try {
    return await build(settings, logger, owned);
  } catch (thrown) {
    await owned.disposeAsync();
    logger.flush();
    throw thrown;
  }
}

async function build(settings: Settings, logger: Logger & { flush(): void }, owned: AsyncDisposableStack): Promise<Gateway> {
  owned.defer(() => logger.flush());
  const url = `http://${settings.host.includes(':') ? `[${settings.host}]` : settings.host}:${settings.port}`;

  const guard = createOutboundGuard({ allow: settings.outboundAllow });
  const client = createOutboundClient(guard);
  owned.defer(() => client.close());
  const strangers = createOutboundGuard({ allow: settings.fetchAllow });
  const fetcher = createOutboundClient(strangers);
  owned.defer(() => fetcher.close());
  const services: PluginServices = {
    logger,
    mode: settings.mode,
    stdioCommands: settings.stdioCommands,
    checkUrl: (address, param) => guard.checkUrl(address, param),
    fetch: client.fetch,
  };
  const registry = await loadPlugins({ folders: pluginFolders, pluginsDir: settings.pluginsDir, services, logger });

  const database = await openDatabase({ url: settings.databaseUrl, dataDir: settings.dataDir, logger });
  owned.defer(() => database.close());
  owned.defer(await migrateOrKeepTrying(database, logger));
  const master = loadMasterKeys(settings);
  const secrets = createSecretBox(master);
  const accountBox = createSecretBox(derivedKeys(master, 'mcp accounts'));

  const metrics = createMetrics();
  const ledger = createLedger({ database, dataDir: settings.dataDir, logger });
  owned.use(ledger);
  const contents = createRunContents({
    database,
    dataDir: settings.dataDir,
    box: createSecretBox(derivedKeys(master, 'run contents')),
    logger,
  });
  owned.use(contents);
  const audit = createAuditLog({ database, dataDir: settings.dataDir, logger });
  owned.use(createAuditChain({ database, logger }));
  owned.use(audit);
  const responses = settings.responsesStore ? createResponseStore({ database, dataDir: settings.dataDir, logger }) : null;
  if (responses !== null) owned.use(responses);

  const config = createConfigService({
    store: createConfigStore(database, secrets),
    registry,
    services,
    secrets,
    accounts: (server) => createAccounts(database, accountBox, server),
    dataDir: settings.dataDir,
    logger,
  });
  owned.defer(() => config.close());
  await config.start();
  if (settings.mode === 'development') await seedDemo(config);
  metrics.setRevision(config.current().revision);
  config.onSwap((snapshot) => metrics.setRevision(snapshot.revision));
  const nodes = createNodeBook({ database, version, logger });
  owned.use(nodes);
  nodes.serves(config.current().revision);
  config.onSwap((snapshot) => nodes.serves(snapshot.revision));

  const redis = settings.redisUrl === null ? null : await connectRedis({ url: settings.redisUrl, logger });
  if (redis !== null) owned.use(redis);
  const quota = createQuota({
    logger,
    shared: redis === null ? null : createRedisStore(redis, (error) => logger.warn({ err: error }, 'a call could not be settled in Redis')),
    withoutRedis: settings.withoutRedis,
    onRefusal: (limit, measure) => metrics.limitRefused(limit, measure),
  });
  const knownSpend = createKnownSpend({
    quota,
    reader: createSpendReader(database),
    current: () => config.current(),
    flush: () => ledger.flush(),
    logger,
  });
  owned.defer(() => knownSpend.close());
  knownSpend.follow(config.current());
  // No call before the budgets are known, unless the database is away.
  await knownSpend.settled();
  config.onSwap((snapshot) => knownSpend.follow(snapshot));
  redis?.onReady(() => knownSpend.refresh());

  const { issuers, credentials, browser, commandLine, exchange, keyUses } = await composeIdentity({
    settings,
    logger,
    url,
    database,
    master,
    owned,
  });

  const invoker = createModelInvoker({
    client,
    format: (kind) => registry.instance('format', kind),
    pictures: createPictureFetcher({ guard: strangers, fetch: fetcher.fetch }),
  });
  const dispatcher = createDispatcher({
    invoker,
    strategy: (kind) => registry.instance('strategy', kind),
    logger,
    onCircuit(deployment, { state, before, by, reason }) {
      metrics.circuitTurned(deployment, state);
      // One entry for an outage and one for its end, however often it is tried in between.
      if (state === 'half-open' || state === before) return;
      const [tenant = '', id = ''] = deployment.split(' ', 2);
      const why = state === 'open' ? `, found by ${by}${reason === null ? '' : `: ${reason}`}` : '';
      audit.append({ tenant, actor: 'pailou', act: `circuit ${state}`, target: id, requestId: '', detail: `${before} to ${state}${why}` });
    },
  });
  config.onSwap((snapshot) => dispatcher.follow(snapshot));
  const catalogue = createCatalogue({
    store: createPinStore(database),
    logger,
    onQuarantine(server, pins) {
      for (const { kind, name, state } of pins)
        audit.append({
          tenant: server.capability.tenant,
          actor: 'pailou',
          act: 'withhold',
          target: `mcp/${server.name}/${name}`,
          requestId: '',
          detail: `the ${kind} ${state === 'new' ? 'is new' : 'is not as it was approved'}; it is withheld until somebody approves it`,
        });
    },
  });
  owned.defer(() => catalogue.close());
  catalogue.follow(config.current());
  config.onSwap((snapshot) => catalogue.follow(snapshot));

  const gate = createMcpGate({
    logger,
    version,
    onSessionEnd(id) {
      for (const view of config.current().tenants.values()) for (const server of view.mcpServers.values()) server.instance.leave?.(id);
    },
  });
  owned.defer(() => gate.close());
  catalogue.onChange(() => gate.changed());
  config.onSwap(() => gate.changed());

  const answers = createAnswerCache({
    store: redis === null ? createMemoryAnswers(settings.cacheMemoryMb * 1_048_576) : createRedisAnswers(redis, master.current),
    onAsked: (capability, result) => metrics.answerSought(capability, result),
  });
  const openRuns = createOpenRuns({
    ledger: { ...metrics.counting(ledger), content: (...kept) => contents.keep(...kept) },
    dataDir: settings.dataDir,
    logger,
  });
  owned.use(openRuns);
  const approvals = createApprovalGate(createSecretBox(derivedKeys(master, 'mcp approvals')));
  const states = createChatStates(database, createSecretBox(derivedKeys(master, 'chat states')));
  const backgroundRuns = createBackgroundRuns(states, logger);
  owned.defer(() => backgroundRuns.close());
  const calls: CallServices = {
    answers,
    approvals,
    dispatcher,
    catalogue,
    quota,
    states,
    backgroundRuns,
    ledger: openRuns,
    responses,
    logger,
  };
  const people = createPeopleReader(database);
  const runs = createRunReader(database, contents);
  let stopping = false;
  const publicUrl = settings.publicUrl ?? url;
  const homeTenant = issuers[0]?.mapping.defaultTenant ?? 'default';
  const server = await createServer({
    publicUrl,
    recheckMs: settings.recheckSeconds * 1_000,
    unreadMs: settings.unreadSeconds * 1_000,
    credentials,
    config,
    audit,
    homeTenant,
    docs: settings.docs,
    logger,
    bodyLimit: settings.bodyLimit,
    version,
    control: (app) => {
      addIdentity(app, { people, audit });
      addSignIn(app, browser, commandLine, audit);
      addKeyExchange(app, exchange);
      addProtectedResource(
        app,
        publicUrl,
        issuers.map(({ issuer }) => issuer),
      );
      addRouting(app, calls);
      addOperation(app, {
        config,
        database,
        ledger,
        metrics,
        stopping: () => stopping,
        homeTenant,
        developmentIdentity: settings.oauth.issuer === null && settings.oauth.file === null,
        metricsToken: settings.metricsToken,
      });
      addControl(app, {
        config,
        calls,
        audit,
        gate,
        runs,
        usage: createUsageReader(database),
        people,
        nodes,
        keyUses: settings.apiKeys === 'off' ? null : keyUses,
      });
    },
    calls: (app) => addCalls(app, calls, gate, runs),
  });
  owned.defer(() => server.close());
  await listen(server, settings);
  const prober = createProber({
    deployments: dispatcher.deployments,
    invoker,
    ledger: calls.ledger,
    hold: () => config.hold(),
    logger,
    onProbe: (deployment, verdict) => metrics.probed(deployment, verdict),
  });
  owned.defer(() => prober.close());
  prober.follow(config.current());
  config.onSwap((snapshot) => prober.follow(snapshot));

  let closing: Promise<void> | null = null;
  const close = async (graceMs: number): Promise<void> => {
    stopping = true;
    logger.info({}, 'stopping: no new calls, finishing those under way');
    const force = setTimeout(() => server.server.closeAllConnections(), graceMs);
    // A connection that was busy when the stop began is idle once its answer is complete, and nobody else would close it.
    const idle = setInterval(() => server.server.closeIdleConnections(), 50);
    await owned.disposeAsync().finally(() => {
      clearTimeout(force);
      clearInterval(idle);
    });
  };
  return {
    url,
    issuer: issuers[0]?.issuer ?? '',
    greeting: greetingOf(settings, url, issuers.map(({ issuer }) => issuer).join(', ')),
    close: (graceMs = 30_000) => (closing ??= close(graceMs)),
  };
}

async function listen(server: Awaited<ReturnType<typeof createServer>>, settings: Settings): Promise<void> {
  try {
    await server.listen({ host: settings.host, port: settings.port });
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
  const lines = [`Pailou ${version} is open at ${url}  (documentation: ${url}/docs)`];
  if (settings.oauth.issuer === null && settings.oauth.file === null) {
    lines.push(
      '',
      `DEVELOPMENT identity service at ${issuer}: anybody on this machine can get a token for admin, developer, user or viewer.`,
      'The demo models are not AI. Try the gate:',
      '',
      `curl -N ${url}/v1/chat/completions -H "Authorization: Bearer $(npx pailou token --role user)" -H 'Content-Type: application/json' -d '{"model":"demo/echo","stream":true,"messages":[{"role":"user","content":"Hello, gate!"}]}'`,
    );
  } else {
    lines.push(`Tokens come from ${issuer}.`);
  }
  return `${lines.join('\n')}\n`;
}
