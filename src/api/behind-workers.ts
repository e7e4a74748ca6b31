/** The server of the primary process behind its workers: it keeps all state, and serves over a socket what a worker relays. */
import { createHash, randomBytes } from 'node:crypto';
import { mkdir, readdir, rm } from 'node:fs/promises';
import { connect } from 'node:net';
import { hostname } from 'node:os';
import { join } from 'node:path';
import type { FastifyInstance } from 'fastify';
import { startWorkers, type Workers, type WorkersOptions } from '../cluster/workers.ts';
import type { ConfigService } from '../config/service.ts';
import type { Settings } from '../config/settings.ts';
import type { Revocations } from '../storage/revocations.ts';
import { GatewayError } from '../types/errors.ts';
import type { Logger } from '../types/logger.ts';
import type { BodyBudget } from './bodies/body-budget.ts';
import { readCallerAddress } from './relay.ts';

/** The longest path of a socket, in bytes, on every system. */
const longestPath = 103;
const socketName = 'http.sock';

/** True when a process listens on the socket. */
function isAlive(path: string): Promise<boolean> {
  return new Promise((resolve) => {
    const connection = connect(path, () => {
      connection.destroy();
      resolve(true);
    });
    connection.on('error', () => resolve(false));
  });
}

/** A new folder for the sockets and files of this process's workers. Those of dead processes of this machine are removed. */
async function makeFolder(dataDir: string): Promise<string> {
  const all = join(dataDir, 'workers');
  await mkdir(all, { recursive: true, mode: 0o700 });
  const machine = createHash('sha256').update(hostname()).digest('hex').slice(0, 6);
  for (const name of await readdir(all)) {
    const folder = join(all, name);
    if (name.startsWith(`${machine}-`) && !(await isAlive(join(folder, socketName)))) await rm(folder, { recursive: true, force: true });
  }
  const folder = join(all, `${machine}-${randomBytes(3).toString('hex')}`);
  if (Buffer.byteLength(join(folder, '64', socketName)) > longestPath)
    throw new GatewayError(
      'configuration_invalid',
      `PAILOU_WORKERS: the path of the data folder is too long for the sockets of workers. Set PAILOU_DATA_DIR to a path of at most ${longestPath - 40} characters, or leave PAILOU_WORKERS out.`,
      { param: 'PAILOU_WORKERS' },
    );
  await mkdir(folder, { mode: 0o700 });
  return folder;
}

/** Resolves when every worker is ready. */
export async function serveBehindWorkers(parts: {
  readonly server: FastifyInstance;
  /** The program of a worker. */
  readonly program: URL;
  readonly settings: Settings;
  readonly layers: Pick<WorkersOptions, 'quota' | 'metrics' | 'onRefusal'> & {
    readonly issuers: readonly { readonly issuer: string }[];
    readonly calls: Pick<WorkersOptions, 'ledger'> & { readonly dispatcher: Pick<WorkersOptions, 'deployments'> };
    readonly storage: Pick<WorkersOptions, 'audit'>;
    readonly config: Pick<ConfigService, 'current' | 'onSwap'>;
    readonly identity: { readonly revocations: Pick<Revocations, 'onChange'> };
  };
  readonly bodyBudget: BodyBudget;
  readonly env: NodeJS.ProcessEnv;
  readonly logger: Logger;
  readonly owned: AsyncDisposableStack;
}): Promise<Workers> {
  const { server, program, settings, layers, bodyBudget, env, logger, owned } = parts;
  const folder = await makeFolder(settings.dataDir);
  owned.defer(() => rm(folder, { recursive: true, force: true }));
  const socketPath = join(folder, socketName);
  const { server: http } = server;
  for (const event of ['request', 'checkContinue'] as const) http.prependListener(event, readCallerAddress);
  await server.listen({ path: socketPath });
  const isDevelopment = settings.oauth.issuer === null && settings.oauth.file === null;
  const workers = await startWorkers({
    count: settings.workers,
    program,
    start: { env, socketPath, developmentIssuer: isDevelopment ? (layers.issuers[0]?.issuer ?? null) : null },
    dataDir: settings.dataDir,
    folder,
    serve(connection) {
      http.emit('connection', connection);
      connection.resume();
    },
    ledger: layers.calls.ledger,
    quota: layers.quota,
    bodyBudget,
    deployments: layers.calls.dispatcher.deployments,
    metrics: layers.metrics,
    onRefusal: layers.onRefusal,
    audit: layers.storage.audit,
    revision: () => layers.config.current().revision,
    onChange(listener) {
      layers.config.onSwap(listener);
      layers.identity.revocations.onChange(listener);
    },
    logger,
  });
  // When the start fails later. A stop closes them itself, with the grace of its calls.
  owned.defer(() => workers.close(0));
  return workers;
}
