/**
 * The gateway of a warm-up, within the process of the real one: the same server, router and formats, with a vendor on this machine, a
 * configuration of two rows in memory, and a ledger that keeps nothing. It shares no token, limit, circuit or metric with the real gateway.
 */
import { randomBytes } from 'node:crypto';
import type { AddressInfo } from 'node:net';
import { createBodyBudget } from '../bodies/body-budget.ts';
import { addPlainCalls } from '../calls-routes.ts';
import { createCorsOrigins } from '../cross-origin.ts';
import { createServer } from '../server.ts';
import { createShutdown } from '../shutdown.ts';
import type { CallServices } from '../../application/services.ts';
import { administratorBasis } from '../../config/basis.ts';
import { createInstanceFactory } from '../../config/instances.ts';
import { RowSet } from '../../config/row-set.ts';
import { createSnapshotBuilder } from '../../config/snapshot-builder.ts';
import { emptyBuilt } from '../../config/snapshot/built.ts';
import { composeDispatch } from '../../dispatch/compose-dispatch.ts';
import { createModelCatalogue } from '../../models/catalogue/catalogue.ts';
import { composeOutbound, networkServices } from '../../outbound/compose-outbound.ts';
import type { PluginRegistry } from '../../plugins/registry.ts';
import type { SecretBox } from '../../storage/secret-box.ts';
import { absentService } from '../../types/absent-service.ts';
import { permissionCodes, type Principal } from '../../types/access.ts';
import { GatewayError } from '../../types/errors.ts';
import type { Logger } from '../../types/logger.ts';
import type { PluginServices } from '../../types/plugin.ts';
import type { ConfigRow, ResourceKind } from '../../types/resources.ts';
import type { Snapshot } from '../../types/snapshot.ts';
import { version } from '../../types/version.ts';
import { startWarmUpVendor } from './warm-up-vendor.ts';

/** Names of the warm-up's own configuration, which no call of the real gateway reads. */
const tenant = 'warm-up';
export const warmUpModel = 'warm-up';
const principal: Principal = Object.freeze({
  subject: 'warm-up',
  username: 'warm-up',
  tenant,
  roles: ['admin'],
  permissions: new Set(permissionCodes),
  client: null,
  issuer: 'pailou:warm-up',
  credential: 'token',
  expiresAt: Infinity,
});

function rowOf(kind: ResourceKind, name: string, spec: ConfigRow['spec']): ConfigRow {
  const at = new Date().toISOString();
  return {
    id: `warm-up-${kind}`,
    tenant,
    kind,
    name,
    spec,
    enabled: true,
    owner: null,
    basis: { '*': administratorBasis },
    revision: 1,
    createdAt: at,
    createdBy: 'warm-up',
    updatedAt: at,
    updatedBy: 'warm-up',
  };
}

/** A provider and a model, as the configuration service would build them from the database. */
async function buildSnapshot(url: string, registry: PluginRegistry, services: PluginServices, logger: Logger): Promise<Snapshot> {
  const secrets = absentService<SecretBox>('The warm-up', 'secrets');
  const factory = createInstanceFactory({ registry, services, developerServices: services, secrets, logger });
  const rows = RowSet.of([
    rowOf('provider', 'warm-up', { kind: 'openai-compatible', options: { base_url: url } }),
    rowOf('model', warmUpModel, { deployments: [{ provider: 'warm-up', model: warmUpModel }] }),
  ]);
  const built = await createSnapshotBuilder(factory, registry, createModelCatalogue()).build(rows, 1, emptyBuilt());
  const [problem] = built.snapshot.problems;
  if (problem !== undefined) throw new GatewayError('internal_error', `The warm-up's ${problem.kind} is invalid: ${problem.message}`);
  return built.snapshot;
}

export interface WarmUpGateway {
  readonly port: number;
  /** Opens it; no other caller is admitted. */
  readonly secret: string;
}

/** Listens on a free port of this machine. Resolves when it serves. */
export async function openWarmUpGateway(registry: PluginRegistry, logger: Logger, owned: AsyncDisposableStack): Promise<WarmUpGateway> {
  const vendor = owned.use(await startWarmUpVendor());
  const outbound = composeOutbound({
    outboundAllow: ['127.0.0.1/32'],
    outboundAllowDevelopers: [],
    fetchAllow: [],
    proxyOf: () => null,
    owned,
  });
  const services: PluginServices = {
    logger,
    mode: 'production',
    stdioPrograms: [],
    stdioUser: null,
    ...networkServices(outbound.guard, outbound.client),
    tokenExchange: absentService('The warm-up', 'token exchange'),
  };
  const snapshot = await buildSnapshot(vendor.url, registry, services, logger);
  const config = {
    current: () => snapshot,
    hold: () => ({ snapshot, release: () => {} }),
    onSwap: () => () => {},
    kinds(): never {
      throw new GatewayError('internal_error', 'The warm-up has no documentation.');
    },
  };
  const metrics = { circuitTurned: () => {}, probed: () => {} };
  const audit = { append: () => {} };
  const { dispatcher } = composeDispatch({ config, outbound, registry, thoughts: null, metrics, audit, logger, owned });
  const quota = { take: () => null, arrive: () => null };
  const calls: CallServices = {
    answers: absentService('The warm-up', 'cache of answers'),
    approvals: absentService('The warm-up', 'approvals'),
    dispatcher,
    catalogue: absentService('The warm-up', 'catalogue of tools'),
    quota,
    people: { find: async () => null },
    states: absentService('The warm-up', 'states of chats with tools'),
    thoughts: null,
    ledger: { opened: () => {}, begun: () => {}, record: () => {}, content: () => {} },
    backgroundRuns: absentService('The warm-up', 'background runs'),
    responses: null,
    tracing: null,
    logger,
  };
  const secret = randomBytes(32).toString('base64url');
  const app = await createServer({
    credentials: {
      admit({ authorization }) {
        if (authorization !== `Bearer ${secret}`)
          throw new GatewayError('token_invalid', 'This port is for the warm-up of the gateway alone.');
        return principal;
      },
      requireUnblocked: () => {},
    },
    publicUrl: 'http://warm-up.invalid',
    recheckMs: 60_000,
    unreadMs: 60_000,
    pingMs: 60_000,
    config,
    prepareTenant: null,
    viewAs: null,
    audit,
    homeTenant: tenant,
    logger,
    bodyLimit: 65_536,
    bodyBudget: createBodyBudget({ mostOfOne: 1_048_576, mostOfAll: 1_048_576 }),
    slowBodySeconds: 60,
    quota,
    version,
    onRevocation: () => {},
    shutdown: createShutdown(),
    docs: 'signed-in',
    corsOrigins: createCorsOrigins([]),
    control: () => {},
    calls: (scope) => addPlainCalls(scope, calls),
  });
  owned.defer(() => app.close());
  await app.listen({ host: '127.0.0.1', port: 0 });
  return { port: (app.server.address() as AddressInfo).port, secret };
}
