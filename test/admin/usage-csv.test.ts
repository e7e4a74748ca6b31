/** The CSV file of usage over HTTP: it is read page by page, as fast as the client takes it, and no further than the client stays. */
import { once } from 'node:events';
import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { get, type IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import Fastify, { type FastifyInstance } from 'fastify';
import { validatorCompiler } from 'fastify-type-provider-zod';
import { sql } from 'kysely';
import { afterAll, beforeAll, beforeEach, expect, it, vi } from 'vitest';
import { addUsage } from '../../src/admin/usage.ts';
import { createPersonNames } from '../../src/config/person-names.ts';
import type { Database } from '../../src/storage/database.ts';
import { createUsageReader, type UsageReader } from '../../src/storage/usage-reader.ts';
import { databaseKinds, eventually, migrated, type TestDatabase } from '../storage/databases.ts';

const days = 400;
const people = 500;
const firstDay = Math.floor(Date.UTC(2025, 0, 1) / 86_400_000);
const address = (by: string): string => `/api/usage?by=${by}&from=2025-01-01&to=2026-02-04&format=csv`;

let app: FastifyInstance;
let place: TestDatabase;
let database: Database;
let linesRead = 0;
/** Resolves when the server is done with a connection. */
let connectionClosed: Promise<unknown>;

beforeAll(async () => {
  ({ place, database } = await migrated(databaseKinds[0] as (typeof databaseKinds)[number]));
  const { rows } = await sql<{ name: string }>`select name from pragma_table_info('llm_usage_day') where type = 'bigint'`.execute(
    database.query,
  );
  expect(rows.length).toBeGreaterThan(5);
  const numbers = sql.join(rows.map(({ name }) => sql.ref(name)));
  await sql`insert into llm_usage_day (tenant, day, issuer, subject, client, key_id, capability, deployment, via, currency, ${numbers})
    with recursive numbers (n) as (select 0 union all select n + 1 from numbers where n < ${days * people - 1})
    select 'acme', ${sql.lit(firstDay)} + n / ${sql.lit(people)}, '', 'u-' || (n % ${sql.lit(people)}), '', '', 'model/m', 'm#v/up', '', 'CNY',
      ${sql.join(rows.map(() => sql`1`))} from numbers`.execute(database.query);
  const reader = createUsageReader(database);
  app = Fastify();
  app.setValidatorCompiler(validatorCompiler);
  app.setSerializerCompiler(() => (value) => JSON.stringify(value));
  app.decorateRequest('principal', null);
  app.addHook('onRequest', async (request) => {
    request.principal = { tenant: 'acme', issuer: '', subject: 'boss', roles: ['admin'] } as never;
    connectionClosed = once(request.raw.socket, 'close');
  });
  const counted: UsageReader = {
    report: (query) => reader.report(query),
    async *all(query) {
      for await (const lines of reader.all(query)) {
        linesRead += lines.length;
        yield lines;
      }
    },
  };
  addUsage(app, counted, { people: createPersonNames([]), row: () => undefined, rows: () => [] });
  await app.listen({ port: 0, host: '127.0.0.1' });
});
beforeEach(() => {
  linesRead = 0;
});
afterAll(async () => {
  await app.close();
  await place[Symbol.asyncDispose]();
});

async function ask(by = 'day,user'): Promise<IncomingMessage> {
  const [response] = (await once(
    get({ port: (app.server.address() as AddressInfo).port, path: address(by), agent: false }),
    'response',
  )) as [IncomingMessage];
  expect(response.statusCode).toBe(200);
  return response;
}

it.each(['day,user', 'user,day'])('has every line once: by %s', async (by) => {
  const seen = new Set<string>();
  let rest = '';
  for await (const part of (await ask(by)).setEncoding('utf8')) {
    const lines = (rest + String(part)).split('\r\n');
    rest = lines.pop() ?? '';
    for (const line of lines) seen.add(line.split(',', 2).join());
  }
  expect(seen.size, 'and the header').toBe(days * people + 1);
});

it('is read no further while the client reads nothing, and then to its end', async () => {
  const response = await ask();
  await once(response, 'readable');
  // The client leaves the data in its socket. A page that is still read ends within some statements.
  for (let before = -1; before !== linesRead;) {
    before = linesRead;
    for (let statement = 0; statement < 20; statement++) await sql`select 1`.execute(database.query);
  }
  const ahead = linesRead;
  expect(ahead, 'what the buffers of the connection hold').toBeLessThan(days * people);
  let lines = 0;
  for await (const part of response.setEncoding('utf8')) lines += String(part).split('\n').length - 1;
  expect(lines).toBe(days * people + 1);
  expect(linesRead).toBeGreaterThan(ahead);
});

it('in another order is read to its end while the client takes nothing, and leaves no file behind', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'pailou-test-'));
  vi.stubEnv('TMPDIR', folder);
  try {
    const response = await ask('user,day');
    // Nothing of the response has been taken, beyond its head.
    expect(linesRead).toBe(days * people);
    expect(await readdir(folder)).toEqual([]);
    let lines = 0;
    for await (const part of response.setEncoding('utf8')) lines += String(part).split('\n').length - 1;
    expect(lines).toBe(days * people + 1);
  } finally {
    vi.unstubAllEnvs();
    await rm(folder, { recursive: true });
  }
});

it('in another order is read no further after the client has left', async () => {
  const request = get({ port: (app.server.address() as AddressInfo).port, path: address('user,day'), agent: false });
  request.on('error', () => {});
  await eventually(() => Promise.resolve(linesRead > 0), 120_000);
  request.destroy();
  await connectionClosed;
  const atTheEnd = linesRead;
  expect(atTheEnd).toBeLessThan(days * people);
  for (let statement = 0; statement < 20; statement++) await sql`select 1`.execute(database.query);
  expect(linesRead, 'at most the part that was being read').toBeLessThanOrEqual(atTheEnd + 500);
});

it('is read no further after the client has left', async () => {
  const response = await ask();
  await once(response, 'readable');
  response.destroy();
  await connectionClosed;
  const atTheEnd = linesRead;
  expect(atTheEnd).toBeLessThan((days * people) / 2);
  // Whatever still ran would have read another page before the answer of this statement.
  for (let statement = 0; statement < 20; statement++) await sql`select 1`.execute(database.query);
  expect(linesRead, 'at most the page that was being read').toBeLessThanOrEqual(atTheEnd + 500);
});
