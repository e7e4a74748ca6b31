/** Composes the HTTP server: the routes of the control plane and of the calls on the API gateway. */
import type { BodyBudget } from '../api/bodies/body-budget.ts';
import { addCalls } from '../api/calls-routes.ts';
import { createCorsOrigins } from '../api/cross-origin.ts';
import { addBackchannelLogout } from '../api/routes/backchannel-logout.ts';
import { addConsole } from '../api/routes/console.ts';
import { addIdentity } from '../api/routes/identity.ts';
import { addKeyExchange } from '../api/routes/key-exchange.ts';
import { addOperation } from '../api/routes/operation.ts';
import { addProtectedResource } from '../api/routes/protected-resource.ts';
import { addRouting } from '../api/routes/routing.ts';
import { addSignIn } from '../api/routes/sign-in.ts';
import { createServer, type ServerOptions } from '../api/server.ts';
import { createViewAs } from '../api/view-as.ts';
import type { Shutdown } from '../api/shutdown.ts';
import type { CallServices } from '../application/services.ts';
import type { Identity } from '../auth/compose-auth.ts';
import { readBrand } from '../config/brand.ts';
import type { ConfigService } from '../config/service.ts';
import type { Settings } from '../config/settings.ts';
import type { McpGate } from '../extensions/mcp/gate/gate.ts';
import { verifyAudit } from '../storage/audit-chain.ts';
import type { Storage } from '../storage/compose-storage.ts';
import type { NodeRegistry } from '../storage/node-registry.ts';
import { unwrittenReason } from '../storage/record-state.ts';
import { createPeopleReader } from '../storage/people-reader.ts';
import { createFailedAttemptsReader } from '../storage/failed-attempts.ts';
import { createRollupReader } from '../storage/rollup-reader.ts';
import { createRunReader } from '../storage/run-reader.ts';
import { createSeenSubjects } from '../storage/seen-subjects.ts';
import { createSpendReader } from '../storage/spend-reader.ts';
import { createUsageReader } from '../storage/usage-reader.ts';
import type { Metrics } from '../telemetry/metrics.ts';
import type { Refusal } from '../types/refusal.ts';
import type { Logger } from '../types/logger.ts';
import { holderOf } from './mcp-health.ts';
import { addMcpSignIn } from './mcp-sign-in.ts';
import { addControl } from './control-routes.ts';
import { addSettings } from './settings.ts';
import { addTokenTest } from './token-test.ts';

export interface ServerParts {
  readonly settings: Settings;
  readonly publicUrl: string;
  readonly version: string;
  readonly config: ConfigService;
  /** As in ServerOptions. */
  readonly prepareTenant: ServerOptions['prepareTenant'];
  readonly storage: Storage;
  readonly nodes: NodeRegistry;
  readonly identity: Identity;
  readonly calls: CallServices;
  readonly gate: McpGate;
  readonly metrics: Metrics;
  readonly onRefusal: (refusal: Refusal) => void;
  readonly shutdown: Shutdown;
  readonly bodyBudget: BodyBudget;
  /** Resolves when the workers of this node serve the current configuration; null without a wait. */
  readonly settled: () => Promise<void> | null;
  readonly logger: Logger;
}

export type GatewayServer = Awaited<ReturnType<typeof createServer>>;

export function composeServer(parts: ServerParts): Promise<GatewayServer> {
  const {
    settings,
    publicUrl,
    version,
    config,
    prepareTenant,
    storage,
    nodes,
    identity,
    calls,
    gate,
    metrics,
    onRefusal,
    shutdown,
    bodyBudget,
    settled,
    logger,
  } = parts;
  const { database, ledger, runFeed, contents, audit } = storage;
  const { issuers, credentials, browser, mcpSignIn, commandLine, exchange, apiKeyUsage, revocations, verifyLogout } = identity;
  const people = createPeopleReader(database);
  const runs = createRunReader(database, contents);
  const brand = readBrand(settings);
  const developmentIdentity = settings.oauth.issuer === null && settings.oauth.file === null;
  const homeTenant = issuers[0]?.mapping.tenant ?? issuers[0]?.mapping.defaultTenant ?? 'default';
  revocations.onChange(() => {
    for (const session of gate.sessions()) if (revocations.isBlocked(holderOf(session))) gate.endSession(session.id);
  });
  return createServer({
    publicUrl,
    recheckMs: settings.recheckSeconds * 1_000,
    unreadMs: settings.unreadSeconds * 1_000,
    pingMs: settings.pingSeconds * 1_000,
    credentials,
    prepareTenant,
    viewAs: createViewAs({ people, names: config.people, audit }),
    config,
    audit,
    homeTenant,
    docs: settings.docs,
    corsOrigins: createCorsOrigins(settings.corsOrigins),
    logger,
    onRefusal,
    bodyLimit: settings.bodyLimit,
    bodyBudget,
    slowBodySeconds: settings.slowBodySeconds,
    quota: calls.quota,
    version,
    shutdown,
    onRevocation: (listener) => revocations.onChange(listener),
    control: (app) => {
      // A change is live on every worker when its writer learns of it.
      app.addHook('onSend', (request, _reply, payload, done) => {
        const wait = request.method === 'GET' ? null : settled();
        if (wait === null) return done(null, payload);
        wait.then(() => done(null, payload)).catch(() => {});
      });
      addIdentity(app, { people, names: config.people, audit });
      addSettings(app, { given: settings.given, homeTenant });
      addTokenTest(app, { issuers, explain: identity.explainToken, audit });
      addSignIn(app, browser, commandLine, { audit, developmentIdentity });
      addConsole(app, brand);
      addBackchannelLogout(app, { verify: verifyLogout, revocations, logger });
      addKeyExchange(app, exchange);
      const services = issuers.map(({ issuer }) => issuer);
      addProtectedResource(app, publicUrl, { services, ownSignIn: mcpSignIn !== null });
      if (mcpSignIn !== null) void app.register(async (scope) => addMcpSignIn(scope, config, credentials, mcpSignIn));
      addRouting(app, calls);
      addOperation(app, {
        config,
        database,
        ledger,
        metrics,
        unwritable: async () => unwrittenReason(storage.records) ?? (await storage.disk.problem()),
        stopping: () => shutdown.phase() !== 'serving',
        homeTenant,
        developmentIdentity,
        metricsToken: settings.metricsToken,
      });
      addControl(app, {
        config,
        calls,
        audit,
        verifyAudit: () => verifyAudit(database),
        gate,
        runs,
        runFeed,
        usage: createUsageReader(database),
        rollups: createRollupReader(database),
        failedAttempts: createFailedAttemptsReader(database),
        spend: createSpendReader(database),
        people,
        revocations,
        subjects: createSeenSubjects(database),
        nodes,
        apiKeyUsage: settings.apiKeys === 'off' ? null : apiKeyUsage,
      });
    },
    calls: (app) => addCalls(app, calls, gate, runs),
  });
}
