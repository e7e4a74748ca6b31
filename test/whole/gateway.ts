/** Starts a whole gateway for tests: free ports, its own folder, real tokens. */
import { type ChildProcess, spawn } from 'node:child_process';
import { randomInt } from 'node:crypto';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fetchDevelopmentToken } from '../../src/auth/development/development-token.ts';
import { type Gateway, startPailou } from '../../src/main.ts';
import type { Role } from '../../src/types/access.ts';
import { copyDatabaseInto } from '../storage/template-databases.ts';

/** Below the ephemeral ports, because the system reuses those as soon as they are free. */
const lowest = 12_000;
const highest = 32_000;

export async function freePort(): Promise<number> {
  for (;;) {
    const port = randomInt(lowest, highest);
    const server = createServer();
    const isFree = await new Promise<boolean>((resolve) => {
      server.once('error', () => resolve(false));
      server.listen(port, '127.0.0.1', () => resolve(true));
    });
    if (!isFree) continue;
    await new Promise((resolve) => server.close(resolve));
    return port;
  }
}

export interface Answer {
  readonly status: number;
  readonly headers: Headers;
  readonly text: string;
  // oxlint-disable-next-line no-explicit-any -- tests look into bodies of every shape
  readonly json: any;
}

export interface TestGateway extends AsyncDisposable {
  readonly url: string;
  readonly gateway: Gateway;
  readonly dataDir: string;
  readonly env: Record<string, string>;
  token(role: Role): Promise<string>;
  /** Sends JSON as one of the development people (null: without a token). */
  as(role: Role | null, method: string, path: string, body?: unknown, headers?: Record<string, string>): Promise<Answer>;
}

async function answerOf(response: Response): Promise<Answer> {
  const text = await response.text();
  let json: unknown = null;
  try {
    json = JSON.parse(text);
  } catch {
    // Not every answer is JSON.
  }
  return { status: response.status, headers: response.headers, text, json };
}

const root = join(import.meta.dirname, '../..');
/** The project's own Node, which runs TypeScript. */
export const node = join(root, 'node_modules/.bin/node');

/** What programs of tests inherit. With compiled code of earlier ones they start in two thirds of the time. */
export const runEnv: Readonly<Record<string, string>> = {
  PATH: process.env['PATH'] ?? '',
  NODE_COMPILE_CACHE: process.env['NODE_COMPILE_CACHE'] ?? '',
};

/** Programs that run. They end with the process of the tests, also when a test fails before it could stop them. */
const programs = new Set<ChildProcess>();
process.on('exit', () => programs.forEach((child) => child.kill('SIGKILL')));

/** Starts the gateway as operators do: in a separate process, with only `env`. */
export async function startProcess(
  env: Record<string, string>,
  program = join(root, 'src/cli.ts'),
): Promise<Gateway & { readonly output: () => string; readonly pid: number; readonly exitCode: () => number | null }> {
  const child = spawn(node, [program, 'start'], {
    env: { ...runEnv, ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  programs.add(child);
  child.on('exit', () => programs.delete(child));
  let output = '';
  const keep = (part: Buffer): void => {
    output += part.toString();
  };
  child.stdout.on('data', keep);
  child.stderr.on('data', keep);
  const url = `http://127.0.0.1:${env['PAILOU_PORT']}`;
  const ready = (): Promise<number> =>
    fetch(`${url}/readyz`, { signal: AbortSignal.timeout(10_000) }).then(
      (answer) => answer.status,
      () => 0,
    );
  try {
    await eventually(
      async () => (child.exitCode === null ? ready() : -1),
      (status) => status === 200 || status === -1,
      150_000,
    );
  } catch (error) {
    // A process that is late must not outlive the test.
    child.kill('SIGKILL');
    throw error;
  }
  if (child.exitCode !== null) throw new Error(output);
  const stop = async (): Promise<void> => {
    if (child.exitCode !== null || child.signalCode !== null) return;
    child.kill('SIGTERM');
    await once(child, 'exit');
  };
  return {
    url,
    issuer: env['PAILOU_OAUTH_ISSUER'] ?? `http://127.0.0.1:${env['PAILOU_IDENTITY_PORT']}`,
    greeting: output,
    output: () => output,
    pid: child.pid ?? 0,
    exitCode: () => child.exitCode,
    close: stop,
    stop,
  };
}

/** With `PAILOU_TEST_WORKERS=2` gateways have two worker processes, unless the test says otherwise: any test can be tried so. */
const testWorkers = process.env['PAILOU_TEST_WORKERS'];

/** A port that was free may be taken by another test in the next moment. */
const portTries = 5;

async function startOnFreePorts(
  dataDir: string,
  extra: Record<string, string>,
  start: (env: Record<string, string>) => Promise<Gateway>,
): Promise<{ env: Record<string, string>; gateway: Gateway }> {
  for (let attempt = 1; ; attempt++) {
    const env: Record<string, string> = {
      PAILOU_PORT: String(await freePort()),
      PAILOU_IDENTITY_PORT: String(await freePort()),
      PAILOU_DATA_DIR: dataDir,
      PAILOU_LOG_LEVEL: 'error',
      PAILOU_DRAIN_SECONDS: '0',
      // Its calls take processor time that a test on a busy machine needs.
      PAILOU_WARM_UP: 'off',
      ...(testWorkers === undefined ? {} : { PAILOU_WORKERS: testWorkers }),
      // The mock vendors and servers listen on loopback, so every role may configure them.
      PAILOU_OUTBOUND_ALLOW_DEVELOPERS: '127.0.0.0/8,::1/128',
      ...extra,
    };
    try {
      return { env, gateway: await start(env) };
    } catch (thrown) {
      const isTaken = thrown instanceof Error && /is taken by another program|is taken\. Stop the other program/.test(thrown.message);
      if (!isTaken || attempt === portTries || extra['PAILOU_PORT'] !== undefined || extra['PAILOU_IDENTITY_PORT'] !== undefined)
        throw thrown;
    }
  }
}

/** Starts a gateway. Without PAILOU_DATA_DIR and PAILOU_DATABASE_URL it gets a copy of a migrated, empty database. */
export async function startGateway(
  extra: Record<string, string> = {},
  start: (env: Record<string, string>) => Promise<Gateway> = startPailou,
): Promise<TestGateway> {
  const dataDir = extra['PAILOU_DATA_DIR'] ?? (await mkdtemp(join(tmpdir(), 'pailou-test-')));
  if (extra['PAILOU_DATA_DIR'] === undefined && extra['PAILOU_DATABASE_URL'] === undefined) await copyDatabaseInto(dataDir);
  const { env, gateway } = await startOnFreePorts(dataDir, extra, start);
  const tokens = new Map<Role, Promise<string>>();
  const token = (role: Role): Promise<string> => {
    let known = tokens.get(role);
    if (known === undefined) tokens.set(role, (known = fetchDevelopmentToken(gateway.issuer, role)));
    return known;
  };
  return {
    url: gateway.url,
    gateway,
    dataDir,
    env,
    token,
    async as(role, method, path, body, headers = {}) {
      const authorization: Record<string, string> = role === null ? {} : { authorization: `Bearer ${await token(role)}` };
      const init: RequestInit = {
        method,
        headers: { ...authorization, ...(body === undefined ? {} : { 'content-type': 'application/json' }), ...headers },
      };
      if (body !== undefined) init.body = typeof body === 'string' ? body : JSON.stringify(body);
      return answerOf(await fetch(`${gateway.url}${path}`, init));
    },
    async [Symbol.asyncDispose]() {
      await gateway.close(2_000);
      if (extra['PAILOU_DATA_DIR'] === undefined) await rm(dataDir, { recursive: true, force: true });
    },
  };
}

/** Repeats `ask` until `condition` holds; fails with the last value. */
export async function eventually<T>(ask: () => Promise<T>, condition: (value: T) => boolean, timeoutMs = 120_000): Promise<T> {
  // A shorter limit would measure the machine.
  const deadline = Date.now() + Math.max(timeoutMs, 120_000);
  for (;;) {
    const value = await ask();
    if (condition(value)) return value;
    if (Date.now() > deadline) throw new Error(`not within ${timeoutMs} ms; last seen: ${JSON.stringify(value)}`);
    await new Promise((resolve) => setTimeout(resolve, 25));
  }
}
