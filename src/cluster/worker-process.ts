/** One worker process, as the primary process sees it. */
import { type ChildProcess, fork } from 'node:child_process';
import type { Socket } from 'node:net';
import { type Duplex, getDefaultHighWaterMark, setDefaultHighWaterMark } from 'node:stream';
import { heapFlags } from '../telemetry/heap-flags.ts';
import { threadEnvironment } from '../telemetry/thread-environment.ts';
import { GatewayError } from '../types/errors.ts';
import { openChannel } from './channel.ts';
import type { PrimaryMessage, WorkerMessage, WorkerStart } from './messages.ts';

export interface WorkerProcess {
  readonly pid: number;
  /** True from the moment it serves until it is asked to close or has ended. */
  readonly isReady: boolean;
  /** False for a process that serves but has not answered for some seconds: it hangs. */
  readonly answers: boolean;
  send(message: PrimaryMessage): void;
  /** Hands a connection over. `refused` is called when the process has ended before it took the connection. */
  hand(connection: Socket, refused: () => void): void;
  /** Resolves when it serves. Rejects with the reason when it cannot begin. */
  readonly ready: Promise<void>;
  /** Resolves when the process has ended and all its messages are read. */
  readonly ended: Promise<void>;
  close(graceMs: number): void;
  kill(): void;
}

export interface WorkerProcessOptions {
  readonly program: URL;
  readonly start: WorkerStart;
  readonly onMessage: (message: WorkerMessage) => void;
}

/** The descriptors in the worker: of questions and answers, and of the records of runs and audit, for which no call waits. */
export const channelDescriptor = 4;
export const recordsDescriptor = 5;

/** Records are read together at this interval, in milliseconds: a process that is woken for each costs more than what it does with it. */
const recordsEveryMs = 10;

/** Fewer arenas of the C library than threads: 10 MB less for each worker. */
const allocator = { MALLOC_ARENA_MAX: '2' };

/** A process that serves is asked for a sign of life at this interval, in milliseconds. */
const askEveryMs = 5_000;
/** Questions in a row without an answer, after which a process gets no further connection, and after which it is ended. They are counted because time also passes while the machine sleeps. */
const silent = { avoided: 2, ended: 6 };

function forked(program: URL): ChildProcess {
  const env = { ...allocator, ...threadEnvironment() };
  const usual = getDefaultHighWaterMark(false);
  // A channel that rests would be read into memory up to this mark, part by part.
  setDefaultHighWaterMark(false, 1);
  try {
    return fork(program, [], { execArgv: [...heapFlags], env, stdio: ['ignore', 'inherit', 'inherit', 'ipc', 'pipe', 'pipe'] });
  } finally {
    setDefaultHighWaterMark(false, usual);
  }
}

export function startWorkerProcess({ program, start, onMessage }: WorkerProcessOptions): WorkerProcess {
  const child = forked(program);
  const ready = Promise.withResolvers<void>();
  const ended = Promise.withResolvers<void>();
  /** Connections that wait to be sent. Node sends one at a time, and forgets those that wait when the process ends. */
  const queued = new Set<() => void>();
  let isReady = false;
  let unanswered = 0;
  const asking = setInterval(() => {
    if (!isReady) return;
    if (unanswered >= silent.ended) child.kill('SIGKILL');
    unanswered++;
    channel.send(['ping']);
  }, askEveryMs).unref();
  /** Both channels and the process itself: it lives on for a moment after its channels have closed. */
  let open = 3;
  const closed = (): void => {
    if (--open === 0) ended.resolve();
  };
  const streamOf = (descriptor: number): Duplex => child.stdio[descriptor] as unknown as Duplex;
  openChannel(streamOf(recordsDescriptor), (message) => onMessage(message as WorkerMessage), closed, recordsEveryMs);
  const channel = openChannel(
    streamOf(channelDescriptor),
    (message) => {
      unanswered = 0;
      if (message[0] === 'pong') return;
      if (message[0] === 'ready') {
        isReady = true;
        ready.resolve();
      } else if (message[0] === 'failed') {
        ready.reject(new GatewayError('internal_error', `A worker process could not start: ${message[1]}`));
      } else onMessage(message as WorkerMessage);
    },
    () => {
      isReady = false;
      clearInterval(asking);
      ready.reject(new GatewayError('internal_error', 'A worker process ended before it was ready. Its output says why.'));
      // A process without its channel can record nothing, so it must not serve on.
      child.kill('SIGKILL');
      closed();
    },
  );
  // Reported by the end of the channel. A process that did not begin has no exit.
  child.on('error', () => {
    if (child.pid === undefined) closed();
  });
  child.on('exit', () => {
    for (const refused of queued) refused();
    queued.clear();
    closed();
  });
  ready.promise.catch(() => {});
  channel.send(['start', start]);

  return {
    pid: child.pid ?? 0,
    get isReady() {
      return isReady;
    },
    get answers() {
      return unanswered < silent.avoided;
    },
    send: (message) => channel.send(message),
    hand(connection, refused) {
      queued.add(refused);
      // Node would close its copy when the process confirms, and keep it open for ever when the process is killed before.
      child.send('connection', connection, { keepOpen: true }, (error) => {
        if (!queued.delete(refused)) return;
        if (error === null) connection.destroy();
        else refused();
      });
    },
    ready: ready.promise,
    ended: ended.promise,
    close(graceMs) {
      isReady = false;
      channel.send(['close', graceMs]);
    },
    kill: () => void child.kill('SIGKILL'),
  };
}
