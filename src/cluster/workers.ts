/** The workers of this machine: takes the connections of the gateway's port, hands them to worker processes in turn, and replaces a process that dies. */
import { copyFile, mkdir, rm } from 'node:fs/promises';
import { createServer, type Server, type Socket } from 'node:net';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import type { Deployments } from '../dispatch/deployments.ts';
import type { Quota } from '../quota/quota.ts';
import type { AuditAct } from '../storage/audit.ts';
import type { Metrics } from '../telemetry/metrics.ts';
import type { DeploymentUpdate } from '../types/dispatch.ts';
import type { Logger } from '../types/logger.ts';
import type { Ledger } from '../types/run.ts';
import type { Refusal } from '../types/refusal.ts';
import type { WorkerMessage, WorkerStart } from './messages.ts';
import { type BodyMemory, createBodiesOfWorker } from './bodies-of-worker.ts';
import { startWorkerProcess, type WorkerProcess } from './worker-process.ts';
import { createWorkerRecords } from './worker-records.ts';
import { createWorkerReservations } from './worker-reservations.ts';

export interface WorkersOptions {
  readonly count: number;
  /** The program of a worker. */
  readonly program: URL;
  readonly start: Omit<WorkerStart, 'folder' | 'processes'>;
  readonly dataDir: string;
  /** The folder of this process's workers alone. */
  readonly folder: string;
  /** Serves a connection in this process, while no worker is ready. */
  readonly serve: (connection: Socket) => void;
  readonly ledger: Ledger;
  readonly quota: Pick<Quota, 'reserve' | 'arriving'>;
  readonly bodyBudget: BodyMemory;
  readonly deployments: Pick<Deployments, 'follow' | 'onUpdate'>;
  readonly metrics: Pick<Metrics, 'circuitTurned' | 'watch'>;
  readonly onRefusal: (refusal: Refusal) => void;
  readonly audit: { append(act: AuditAct): void };
  /** The revision that the primary process serves. */
  readonly revision: () => number;
  /** Calls back after each change that workers must read. */
  readonly onChange: (listener: () => void) => void;
  readonly logger: Logger;
}

export interface Workers {
  /** Listens on the port; rejects with the error of the system. Call it once. */
  listen(host: string, port: number): Promise<void>;
  /** The process ids, for tests and logs. */
  pids(): readonly number[];
  /** Resolves when every worker serves the configuration of now, and after a second at the latest. Null when all do. */
  settled(): Promise<void> | null;
  /** Not ready, still serving. */
  drain(): void;
  /** Takes no further connection, and resolves when all processes have ended: after `graceMs` their calls end with `shutting_down`. */
  close(graceMs: number): Promise<void>;
}

/** What the primary process keeps on disk for a start without the database, copied for each worker. */
const keptFiles = ['blocked-people.json', 'last-good.jsonl'];
/** A worker that ends so soon after its start, in milliseconds, is started again only after a pause. */
const soonMs = 10_000;
const longestPauseMs = 10_000;
/** The longest time in milliseconds that a change waits for its workers. */
const longestSettleMs = 1_000;
/** The time in milliseconds after the grace in which a process must have ended. */
const lastWordsMs = 5_000;

export async function startWorkers(options: WorkersOptions): Promise<Workers> {
  const { count, dataDir, logger, ledger, quota, deployments, metrics, audit, serve } = options;
  const current: (WorkerProcess | null)[] = Array.from({ length: count }, () => null);
  const closing = new AbortController();
  /** The runs that each worker has ended, by its place. */
  const served = current.map(() => 0);
  /** The revision that each worker serves, by its place. */
  const revisions = current.map(() => 0);
  const waiting: (() => void)[] = [];
  let isClosing = false;
  let isDraining = false;
  let next = 0;

  metrics.watch({
    type: 'counter',
    name: 'pailou_worker_runs_total',
    help: 'Runs that each worker process has ended, where there are workers. The main process serves the others.',
    label: 'worker',
    read: () => new Map(served.map((runs, place) => [String(place + 1), runs])),
  });

  const isSettled = (): boolean =>
    current.every((worker, place) => worker?.isReady !== true || (revisions[place] ?? 0) >= options.revision());
  options.onChange(() => {
    for (const worker of current) if (worker?.isReady === true) worker.send(['changed']);
  });

  const publish = (update: DeploymentUpdate, from: WorkerProcess | null): void => {
    for (const worker of current) if (worker !== from && worker?.isReady === true) worker.send(['deployment', update]);
  };
  deployments.onUpdate((update) => publish(update, null));

  const prepareFolder = async (place: number): Promise<string> => {
    const folder = join(options.folder, String(place));
    await rm(folder, { recursive: true, force: true });
    await mkdir(folder, { recursive: true, mode: 0o700 });
    for (const file of keptFiles) await copyFile(join(dataDir, file), join(folder, file)).catch(() => {});
    return folder;
  };

  const begin = async (place: number): Promise<WorkerProcess> => {
    const records = createWorkerRecords(ledger);
    const folder = await prepareFolder(place);
    const reservations = createWorkerReservations(quota, (message) => worker.send(message));
    const bodies = createBodiesOfWorker(quota, options.bodyBudget, (message) => worker.send(message));
    const receive = (message: WorkerMessage): void => {
      if (message[0] === 'run-ended') served[place] = (served[place] ?? 0) + 1;
      if (message[0] === 'serves') {
        revisions[place] = message[1];
        if (isSettled()) for (const resolve of waiting.splice(0)) resolve();
        return;
      }
      if (records.receive(message) || reservations.receive(message) || bodies.receive(message)) return;
      if (message[0] === 'refused') options.onRefusal(message[1]);
      else if (message[0] === 'circuit') metrics.circuitTurned(message[1], message[2]);
      else if (message[0] === 'audit') audit.append(message[1]);
      else if (message[0] === 'deployment') {
        deployments.follow(message[1]);
        publish(message[1], worker);
      }
    };
    const start = { ...options.start, folder, processes: count + 1 };
    const worker = startWorkerProcess({ program: options.program, start, onMessage: receive });
    worker.ended
      .then(() => {
        const runs = records.lost();
        reservations.lost();
        bodies.lost();
        if (current[place] === worker) current[place] = null;
        if (!isClosing) logger.error({ pid: worker.pid, runs }, 'a worker process ended; its open calls are recorded');
      })
      .catch((thrown: unknown) => logger.error({ err: thrown }, 'the calls of a worker could not be recorded'));
    current[place] = worker;
    if (isDraining) worker.send(['drain']);
    return worker;
  };

  /** Keeps one place filled until the gateway closes. Never rejects. */
  const keep = async (place: number, first: WorkerProcess): Promise<void> => {
    let worker: WorkerProcess | null = first;
    let startedAt = performance.now();
    for (let failures = 0; ;) {
      await worker?.ended;
      if (isClosing) return;
      failures = performance.now() - startedAt < soonMs ? failures + 1 : 0;
      if (failures > 1) await delay(Math.min(100 * 2 ** failures, longestPauseMs), undefined, { signal: closing.signal }).catch(() => {});
      if (isClosing) return;
      startedAt = performance.now();
      worker = await begin(place).catch((thrown: unknown) => {
        logger.error({ err: thrown }, 'a worker process could not be replaced; trying again');
        return null;
      });
    }
  };

  const hand = (connection: Socket): void => {
    for (let tried = 0; tried < count; tried++) {
      const worker = current[next++ % count];
      if (worker?.isReady === true && worker.answers) return worker.hand(connection, () => serve(connection));
    }
    serve(connection);
  };

  const stopAll = async (graceMs: number): Promise<void> => {
    isClosing = true;
    closing.abort();
    const running = current.filter((worker) => worker !== null);
    for (const worker of running) worker.close(graceMs);
    const late = setTimeout(() => running.forEach((worker) => worker.kill()), graceMs + lastWordsMs);
    await Promise.all(running.map(({ ended }) => ended));
    clearTimeout(late);
  };

  const places = current.map((_, place) => place);
  const begun = await Promise.all(places.map(begin));
  try {
    await Promise.all(begun.map(({ ready }) => ready));
  } catch (thrown) {
    await stopAll(0);
    throw thrown;
  }
  const kept = begun.map((worker, place) => keep(place, worker));

  let server: Server | null = null;
  return {
    async listen(host, port) {
      const opened = createServer({ pauseOnConnect: true, noDelay: true }, hand);
      server = opened;
      await new Promise<void>((resolve, reject) => {
        opened.once('error', reject).listen({ host, port }, resolve);
      });
    },
    pids: () => current.flatMap((worker) => (worker === null ? [] : [worker.pid])),
    settled() {
      if (isSettled()) return null;
      const { promise, resolve } = Promise.withResolvers<void>();
      waiting.push(resolve);
      const late = setTimeout(resolve, longestSettleMs);
      return promise.finally(() => clearTimeout(late));
    },
    drain() {
      isDraining = true;
      for (const worker of current) worker?.send(['drain']);
    },
    async close(graceMs) {
      server?.close();
      await stopAll(graceMs);
      await Promise.all(kept);
    },
  };
}
