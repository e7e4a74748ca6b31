/** A whole gateway for tests: free ports, a folder of its own, real tokens. */
import { mkdtemp, rm } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fetchDevelopmentToken } from '../../src/auth/development/development-token.ts';
import { type Gateway, startPailou } from '../../src/main.ts';
import type { Role } from '../../src/types/access.ts';

export async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  await new Promise((resolve) => server.close(resolve));
  if (address === null || typeof address === 'string') throw new Error('no port');
  return address.port;
}

export interface Answer {
  readonly status: number;
  readonly headers: Headers;
  readonly text: string;
  // Tests look into answers of every shape.
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

export async function startGateway(extra: Record<string, string> = {}): Promise<TestGateway> {
  const [port, identityPort] = [await freePort(), await freePort()];
  const dataDir = extra['PAILOU_DATA_DIR'] ?? (await mkdtemp(join(tmpdir(), 'pailou-test-')));
  const env: Record<string, string> = {
    PAILOU_PORT: String(port),
    PAILOU_IDENTITY_PORT: String(identityPort),
    PAILOU_DATA_DIR: dataDir,
    PAILOU_LOG_LEVEL: 'error',
    ...extra,
  };
  const gateway = await startPailou(env);
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

/** Asks until `condition` holds; fails with what was last seen. */
export async function eventually<T>(ask: () => Promise<T>, condition: (value: T) => boolean, timeoutMs = 5_000): Promise<T> {
  const deadline = Date.now() + timeoutMs;
  for (;;) {
    const value = await ask();
    if (condition(value)) return value;
    if (Date.now() > deadline) throw new Error(`not within ${timeoutMs} ms; last seen: ${JSON.stringify(value)}`);
    await new Promise((resolve) => setTimeout(resolve, 25));
  }
}
