/** Start and stop for operators: one command, clear errors, two kinds of database, and a stop without loss. */
import { createHash, randomBytes } from 'node:crypto';
import { chmod, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import pg from 'pg';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startPailou } from '../../src/main.ts';
import { eventually, freePort, startGateway, startProcess, type TestGateway } from './gateway.ts';
import { answerOk, startVendor } from './vendor.ts';

const postgres = process.env['PAILOU_TEST_POSTGRES_URL'];
const masterKey = randomBytes(32).toString('base64');
const hello = { messages: [{ role: 'user', content: 'Hi' }] };

describe('the first start', () => {
  it('prints a curl line that works, and the demo answers', async () => {
    await using gateway = await startGateway({}, startProcess);
    expect(gateway.gateway.greeting).toContain('curl -N');
    expect(gateway.gateway.greeting).toContain('demo/echo');
    const answer = await gateway.as('user', 'POST', '/v1/chat/completions', { model: 'demo/echo', ...hello });
    expect(answer.text).toContain('not an AI');
  });

  it('writes a line of JSON for each call to standard output when PAILOU_ACCESS_LOG is on', async () => {
    let output = (): string => '';
    await using gateway = await startGateway({ PAILOU_ACCESS_LOG: 'on' }, async (env) => {
      const started = await startProcess(env);
      ({ output } = started);
      return started;
    });
    const answer = await gateway.as('user', 'POST', '/v1/chat/completions', { model: 'demo/echo', ...hello });
    const text = await eventually(
      async () => output(),
      (seen) => seen.includes('"msg":"call"'),
    );
    const line = text.split('\n').find((each) => each.includes('"msg":"call"')) ?? '';
    expect(JSON.parse(line)).toMatchObject({
      trace_id: answer.headers.get('x-pailou-trace-id'),
      capability: 'model/demo/echo',
      status: 200,
    });
  });

  it('keeps its data, its tokens and its ledger over a restart', async () => {
    const dataDir = await mkdtemp(join(tmpdir(), 'pailou-restart-'));
    const first = await startGateway({ PAILOU_DATA_DIR: dataDir }, startProcess);
    const token = await first.token('admin');
    await first.as('admin', 'POST', '/api/models', { name: 'kept', spec: { deployments: [{ provider: 'demo', model: 'echo' }] } });
    const call = await first.as('admin', 'POST', '/v1/chat/completions', { model: 'kept', ...hello });
    await first[Symbol.asyncDispose]();
    const second = await startGateway({ ...first.env }, startProcess);
    const run = await fetch(`${second.url}/api/runs/${call.headers.get('x-pailou-trace-id')}`, {
      headers: { authorization: `Bearer ${token}` },
    });
    expect(run.status).toBe(200);
    expect(await run.json()).toMatchObject({ capability: 'model/kept', outcome: 'complete' });
    await second[Symbol.asyncDispose]();
    await rm(dataDir, { recursive: true });
  });

  it('a stop finishes the stream that is in progress', async () => {
    const gateway = await startGateway({}, startProcess);
    const token = await gateway.token('user');
    const stream = await fetch(`${gateway.url}/v1/chat/completions`, {
      method: 'POST',
      headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
      body: JSON.stringify({ model: 'demo/echo', stream: true, messages: [{ role: 'user', content: 'word '.repeat(60) }] }),
    });
    const [text] = await Promise.all([stream.text(), gateway[Symbol.asyncDispose]()]);
    expect(text).toMatch(/data: \[DONE\]\n\n$/);
  });
});

describe('an error at start', () => {
  const refuse = async (
    env: Record<string, string>,
    start: (env: Record<string, string>) => Promise<unknown> = startProcess,
  ): Promise<string> => {
    const port = String(await freePort());
    const error = await start({
      PAILOU_PORT: port,
      PAILOU_IDENTITY_PORT: String(await freePort()),
      PAILOU_DATA_DIR: join(tmpdir(), `pailou-refused-${port}`),
      PAILOU_LOG_LEVEL: 'error',
      ...env,
    }).catch((thrown: Error) => thrown);
    expect(error).toBeInstanceOf(Error);
    const { message } = error as Error;
    expect(message).not.toMatch(/node_modules|at async|\.ts:\d+/);
    return message;
  };
  const production = {
    PAILOU_MODE: 'production',
    PAILOU_OAUTH_ISSUER: 'https://auth.example',
    PAILOU_OAUTH_AUDIENCE: 'pailou',
    PAILOU_MASTER_KEY: masterKey,
  };
  const cases: Record<string, { env: Record<string, string>; says: RegExp }> = {
    'a port that is none': { env: { PAILOU_PORT: '99999' }, says: /PAILOU_PORT.*Example/ },
    'a misspelt variable': { env: { PAILOU_MODUS: 'x' }, says: /PAILOU_MODUS.*PAILOU_MODE/ },
    'an unknown mode': { env: { PAILOU_MODE: 'prod' }, says: /PAILOU_MODE.*development or production/ },
    'production without an issuer': { env: { PAILOU_MODE: 'production', PAILOU_MASTER_KEY: masterKey }, says: /PAILOU_OAUTH_ISSUER/ },
    'production without a master key': { env: { ...production, PAILOU_MASTER_KEY: '' }, says: /PAILOU_MASTER_KEY/ },
    'production with a simple master key': {
      env: { ...production, PAILOU_MASTER_KEY: Buffer.alloc(32).toString('base64') },
      says: /PAILOU_MASTER_KEY/,
    },
    'an issuer without an audience': { env: { ...production, PAILOU_OAUTH_AUDIENCE: '' }, says: /PAILOU_OAUTH_AUDIENCE/ },
    'an issuer over plain http in production': { env: { ...production, PAILOU_OAUTH_ISSUER: 'http://auth.example' }, says: /https/ },
    'an unknown preset': { env: { ...production, PAILOU_OAUTH_PRESET: 'keycloack' }, says: /PAILOU_OAUTH_PRESET.*keycloak/s },
    'a setting that has no effect yet': { env: { PAILOU_CONFIG: 'pailou.yaml' }, says: /PAILOU_CONFIG/ },
    'an address that is not one of Redis': { env: { PAILOU_REDIS_URL: 'http://127.0.0.1' }, says: /PAILOU_REDIS_URL.*redis:/ },
    'a timeout for Redis without Redis': { env: { PAILOU_REDIS_TIMEOUT_MS: '500' }, says: /PAILOU_REDIS_TIMEOUT_MS.*PAILOU_REDIS_URL/ },
    'a rule for Redis without Redis': { env: { PAILOU_WITHOUT_REDIS: 'refuse' }, says: /PAILOU_WITHOUT_REDIS.*PAILOU_REDIS_URL/ },
    'a database that is not there': {
      env: { PAILOU_DATABASE_URL: 'postgres://nobody@127.0.0.1:1/none' },
      says: /PostgreSQL.*cannot be reached/,
    },
    'a strange database address': { env: { PAILOU_DATABASE_URL: 'mysql://x' }, says: /PAILOU_DATABASE_URL/ },
  };
  /** A separate process prints the message and nothing else; the other cases do not need one. */
  const ofItsOwn: ReadonlySet<string> = new Set(['a misspelt variable', 'an unknown preset', 'a database that is not there']);
  for (const [name, { env, says }] of Object.entries(cases)) {
    it(`for ${name} names the remedy`, async () => {
      expect(await refuse(env, ofItsOwn.has(name) ? startProcess : startPailou)).toMatch(says);
    });
  }

  it('for a taken port names the variable, for the gateway and for the identity service', async () => {
    const taken = createServer().listen(0, '127.0.0.1');
    await new Promise((resolve) => taken.once('listening', resolve));
    const port = String((taken.address() as { port: number }).port);
    expect(await refuse({ PAILOU_IDENTITY_PORT: port })).toMatch(/PAILOU_IDENTITY_PORT/);
    // The readiness probe would wait forever on a silent socket, so the message is read from the process itself.
    expect(await refuse({ PAILOU_PORT: port })).toMatch(/PAILOU_PORT/);
    taken.close();
  });

  it('for a folder on which another gateway runs names the remedies, and the other one serves on', async () => {
    await using first = await startGateway();
    expect(await refuse({ PAILOU_DATA_DIR: first.dataDir }, startPailou)).toMatch(
      /Another gateway process runs.*PAILOU_DATA_DIR.*PAILOU_DATABASE_URL/,
    );
    expect((await first.as('user', 'GET', '/v1/models')).status).toBe(200);
  });

  it('for a damaged database and one that cannot be written says so', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'pailou-damaged-'));
    await writeFile(join(folder, 'pailou.db'), randomBytes(8192));
    expect(await refuse({ PAILOU_DATA_DIR: folder })).toMatch(/database.*cannot be used/);
    await rm(folder, { recursive: true });
    const file = join(await mkdtemp(join(tmpdir(), 'pailou-file-')), 'not-a-folder');
    await writeFile(file, '');
    expect(await refuse({ PAILOU_DATA_DIR: file })).toMatch(/PAILOU_DATA_DIR/);
    const readOnly = await mkdtemp(join(tmpdir(), 'pailou-readonly-'));
    await mkdir(join(readOnly, 'pailou.db'));
    await chmod(readOnly, 0o500);
    expect(await refuse({ PAILOU_DATA_DIR: readOnly })).toMatch(/PAILOU_DATA_DIR/);
    await chmod(readOnly, 0o700);
  });
});

describe.skipIf(postgres === undefined)('production on PostgreSQL', () => {
  let identity: TestGateway;
  let node: TestGateway;
  let other: TestGateway;
  const name = `pailou_${createHash('sha256').update(randomBytes(8)).digest('hex').slice(0, 10)}`;
  const admin = async (statement: string): Promise<void> => {
    const client = new pg.Client({ connectionString: postgres });
    await client.connect();
    try {
      await client.query(statement);
    } finally {
      await client.end();
    }
  };
  const url = (): string => {
    const address = new URL(postgres ?? '');
    address.pathname = `/${name}`;
    return address.href;
  };

  beforeAll(async () => {
    await admin(`create database ${name}`);
    // Another gateway's development identity service plays the company's.
    identity = await startGateway();
    const env = {
      PAILOU_MODE: 'production',
      PAILOU_OAUTH_ISSUER: identity.gateway.issuer,
      PAILOU_OAUTH_PRESET: 'generic',
      PAILOU_OAUTH_AUDIENCE: identity.url,
      PAILOU_DATABASE_URL: url(),
      PAILOU_MASTER_KEY: masterKey,
      PAILOU_OUTBOUND_ALLOW: '127.0.0.0/8',
      PAILOU_LOG_LEVEL: 'error',
    };
    // Both at once on an empty database: one migrates, the other waits.
    [node, other] = await Promise.all([startGateway(env, startProcess), startGateway(env, startProcess)]);
  });

  afterAll(async () => {
    await node[Symbol.asyncDispose]();
    await other[Symbol.asyncDispose]();
    await identity[Symbol.asyncDispose]();
    await admin(`drop database ${name} with (force)`);
  });

  it('has no demo and no development identity, and a change on one node is live on the other within a second', async () => {
    await using vendor = await startVendor();
    vendor.behave((request, response) => answerOk(request, response, 'from the vendor'));
    expect((await node.as('admin', 'GET', '/v1/models')).json.data).toEqual([]);
    expect((await node.as('admin', 'POST', '/api/providers', { name: 'demo', spec: { kind: 'demo' } })).status).toBe(400);
    await expect(fetch(`http://127.0.0.1:${node.env['PAILOU_IDENTITY_PORT']}/`)).rejects.toThrow();
    await node.as('admin', 'POST', '/api/providers', { name: 'v', spec: { kind: 'openai-compatible', options: { base_url: vendor.url } } });
    const made = await node.as('admin', 'POST', '/api/models', { name: 'm', spec: { deployments: [{ provider: 'v', model: 'x' }] } });
    expect(made.status, made.text).toBe(201);
    const answer = await eventually(
      () => other.as('developer', 'POST', '/v1/chat/completions', { model: 'm', ...hello }),
      ({ status }) => status === 200,
      8_000,
    );
    expect(answer.text).toContain('from the vendor');
    const id = answer.headers.get('x-pailou-trace-id');
    const run = await eventually(
      () => node.as('developer', 'GET', `/api/runs/${id}`),
      ({ status }) => status === 200,
    );
    expect(run.json).toMatchObject({ outcome: 'complete', usage: { input_tokens: 5 } });
  });

  it('concurrent writes on two nodes both land, each with a revision of its own', async () => {
    const spec = { deployments: [{ provider: 'v', model: 'x' }] };
    const written = await Promise.all(
      Array.from({ length: 10 }, (_, index) =>
        (index % 2 === 0 ? node : other).as('admin', 'POST', '/api/models', { name: `c${index}`, spec }),
      ),
    );
    expect(written.map(({ status }) => status)).toEqual(Array.from({ length: 10 }, () => 201));
    expect(new Set(written.map(({ json }) => json.revision)).size).toBe(10);
    await eventually(
      () => other.as('admin', 'GET', '/v1/models'),
      ({ json }) => json.data.length === 11,
    );
  });

  it('calls continue while the database is unreachable, and a restarted node serves the last good configuration', async () => {
    await using vendor = await startVendor();
    await node.as('admin', 'PUT', '/api/providers/v', { spec: { kind: 'openai-compatible', options: { base_url: vendor.url } } });
    await admin(`alter database ${name} allow_connections false`);
    await admin(`select pg_terminate_backend(pid) from pg_stat_activity where datname = '${name}'`);
    try {
      const ask = (gateway: TestGateway) => gateway.as('developer', 'POST', '/v1/chat/completions', { model: 'm', ...hello });
      expect((await ask(node)).status).toBe(200);
      const write = await node.as('admin', 'DELETE', '/api/models/c1');
      expect(write.status).toBe(503);
      expect(write.json.error.code).toBe('storage_unavailable');
      await node.gateway.close();
      const again = await startGateway({ ...node.env }, startProcess);
      const answer = await ask(again);
      expect(answer.status, answer.text).toBe(200);
      await admin(`alter database ${name} allow_connections true`);
      // Runs recorded meanwhile are written to the ledger, once.
      const id = answer.headers.get('x-pailou-trace-id');
      const run = await eventually(
        () => again.as('developer', 'GET', `/api/runs/${id}`),
        ({ status }) => status === 200,
        15_000,
      );
      expect(run.json.outcome).toBe('complete');
      await again.gateway.close();
    } finally {
      await admin(`alter database ${name} allow_connections true`);
    }
  });
});
