/** The audit over HTTP: filters, files, and denied requests. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { eventually, startGateway, type TestGateway } from './gateway.ts';

let gateway: TestGateway;
const spec = { deployments: [{ provider: 'demo', model: 'echo' }] };
const canary = 'canary-of-the-audit-77aa';

interface Entry {
  readonly id: string;
  readonly at: string;
  readonly actor: string;
  readonly act: string;
  readonly target: string;
  readonly detail: string | null;
  readonly sentences: readonly { readonly code: string; readonly params: Record<string, string> }[];
  readonly request_id: string;
  readonly before: unknown;
  readonly after: unknown;
}

const list = async (query: string): Promise<Entry[]> => {
  const answer = await gateway.as('admin', 'GET', `/api/audit?${query}`);
  expect(answer.status, answer.text).toBe(200);
  return answer.json.data as Entry[];
};
const namesOf = (entries: readonly Entry[]) => entries.map(({ act, target }) => `${act} ${target}`);

beforeAll(async () => {
  gateway = await startGateway();
  await gateway.as('admin', 'POST', '/api/models', { name: 'one', spec }, { 'x-request-id': 'the-first' });
  await gateway.as('developer', 'POST', '/api/models', { name: 'one-more', spec });
  await gateway.as('admin', 'POST', '/api/models', { name: 'x_y', spec: { ...spec, description: '=HYPERLINK("http://evil")' } });
  await gateway.as('admin', 'POST', '/api/providers', { name: 'sealed', spec: { kind: 'openai', options: { api_key: canary } } });
  await gateway.as('user', 'DELETE', '/api/models/one');
});
afterAll(() => gateway[Symbol.asyncDispose]());

describe('the filters of the audit', () => {
  it('filter by actor, act, target, request and time, alone and together', async () => {
    expect(namesOf(await list('actor=developer'))).toEqual(['create model/one-more']);
    expect(namesOf(await list('act=denied'))).toEqual(['denied DELETE /api/models/one']);
    expect(namesOf(await list('target=model/one'))).toEqual(['create model/one']);
    expect(namesOf(await list('target=model/one*'))).toEqual(['create model/one-more', 'create model/one']);
    expect(namesOf(await list('request_id=the-first'))).toEqual(['create model/one']);
    expect(namesOf(await list('actor=admin&target=model/one*'))).toEqual(['create model/one']);
    expect(await list('actor=ADMIN')).toEqual([]);
    // Only a trailing wildcard counts.
    expect(await list('target=model/x%25')).toEqual([]);
    expect(await list('target=model/__y*')).toEqual([]);
    expect(await list('target=MODEL/*')).toEqual([]);

    const [entry] = await list('request_id=the-first');
    const at = encodeURIComponent(entry?.at ?? '');
    const later = encodeURIComponent(new Date(Date.parse(entry?.at ?? '') + 1).toISOString());
    expect(namesOf(await list(`from=${at}&to=${later}&target=model/one`))).toEqual(['create model/one']);
    expect(await list(`to=${at}&target=model/one`)).toEqual([]);
    expect(await list(`from=${later}&target=model/one`)).toEqual([]);
    const elsewhere = new Date(Date.parse(entry?.at ?? '') + 8 * 3_600_000).toISOString().replace('Z', '+08:00');
    expect(namesOf(await list(`from=${encodeURIComponent(elsewhere)}&to=${later}&target=model/one`))).toEqual(['create model/one']);
  });

  it('are kept from page to page', async () => {
    const all = await list('target=model/*&limit=500');
    const seen: Entry[] = [];
    let next: string | null = '';
    while (next !== null) {
      const page: { data: Entry[]; next: string | null } = (
        await gateway.as('admin', 'GET', `/api/audit?target=model/*&limit=2${next === '' ? '' : `&after=${next}`}`)
      ).json;
      seen.push(...page.data);
      ({ next } = page);
    }
    expect(seen).toEqual(all);
    expect(all.length).toBeGreaterThan(3);
  });

  it('are refused with a reason where they make no sense', async () => {
    for (const query of ['from=yesterday', 'from=2026-11-24T00:00:00Z&to=2026-11-23T00:00:00Z', 'actors=x', 'actor=', 'limit=0'])
      expect((await gateway.as('admin', 'GET', `/api/audit?${query}`)).status, query).toBe(400);
  });

  it('are for administrators', async () => {
    for (const role of ['developer', 'user', 'viewer'] as const)
      for (const path of ['/api/audit?actor=admin', '/api/audit/export']) expect((await gateway.as(role, 'GET', path)).status).toBe(403);
  });
});

describe('the detail of an entry', () => {
  it('is also codes with parameters: of a change, of a denial with its reason, and of a refusal', async () => {
    const [change] = await list('target=model/one-more&act=create');
    expect(change).toMatchObject({
      detail: 'create model one-more',
      sentences: [{ code: 'row_created', params: { title: 'model', name: 'one-more' } }],
    });
    await gateway.as('developer', 'DELETE', '/api/models/one', undefined, { 'x-request-id': 'not-mine' });
    const [denied] = await list('request_id=not-mine');
    expect(denied?.sentences).toEqual([
      { code: 'may_not_row', params: { action: 'manage', title: 'model', name: 'one' } },
      { code: 'not_owner', params: {} },
    ]);
    await gateway.as(null, 'GET', '/api/models', undefined, { authorization: 'Bearer no-token', 'x-request-id': 'no-token' });
    const [refused] = await eventually(
      () => list('request_id=no-token'),
      (entries) => entries.length > 0,
    );
    expect(refused?.sentences).toEqual([
      { code: 'refused_by', params: { code: 'token_invalid' } },
      { code: 'not_a_jwt', params: {} },
    ]);
  });

  it('stays without codes where it is the words of a person', async () => {
    await gateway.as('viewer', 'GET', '/api/me');
    const answer = await gateway.as('admin', 'POST', '/api/people/viewer/block', { reason: 'Only administrators may do this.' });
    expect(answer.status, answer.text).toBe(200);
    const [blocked] = await list('act=block');
    await gateway.as('admin', 'POST', '/api/people/viewer/unblock');
    expect(blocked).toMatchObject({ detail: 'Only administrators may do this.', sentences: [] });
  });
});

describe('the audit as a file', () => {
  it('is JSON, one entry a line, all pages, newest first', async () => {
    const answer = await gateway.as('admin', 'GET', '/api/audit/export?target=model/*');
    expect(answer.headers.get('content-disposition')).toMatch(/^attachment; filename="audit-\d{4}-\d\d-\d\d\.jsonl"$/);
    const entries = answer.text
      .trimEnd()
      .split('\n')
      .map((text) => JSON.parse(text) as Entry);
    expect(entries).toEqual(await list('target=model/*&limit=500'));
  });

  it('is CSV without formulas', async () => {
    await gateway.as('admin', 'POST', '/api/limits', {
      name: 'l',
      spec: { subject_type: 'user', subject: '=1+1', requests_per_minute: 5 },
    });
    await gateway.as('user', 'DELETE', '/api/models/one', undefined, { 'x-request-id': '-2-3' });
    const answer = await gateway.as('admin', 'GET', '/api/audit/export?format=csv');
    expect(answer.headers.get('content-type')).toBe('text/csv; charset=utf-8');
    const [head, ...lines] = answer.text.split('\r\n');
    expect(head).toBe('id,at,actor,act,target,detail,request_id,before,after');
    expect(lines.length).toBeGreaterThan(5);
    for (const line of lines) expect(line).not.toMatch(/(^|,)"?[=+@-]/);
    expect(answer.text).toContain(",'-2-3,");
    expect(answer.text).toContain('=HYPERLINK');
  });

  it('contains more than one page', async () => {
    const tenChanges = () => Promise.all(Array.from({ length: 10 }, () => gateway.as('admin', 'PUT', '/api/models/one', { spec })));
    for (let round = 0; round < 56; round++) await tenChanges();
    const count =
      (await gateway.as('admin', 'GET', '/api/audit/export?target=model/one&format=csv')).text.trimEnd().split('\r\n').length - 1;
    expect(count).toBe(561);
  });

  it('shows no secret, and is itself in the audit', async () => {
    for (const format of ['csv', 'jsonl']) {
      const { text } = await gateway.as('admin', 'GET', `/api/audit/export?format=${format}`);
      expect(text).toContain('provider/sealed');
      expect(text).not.toContain(canary);
      expect(text).not.toContain('$sealed');
    }
    expect(namesOf(await list('act=export&limit=1'))).toEqual(['export audit']);
  });
});

describe('what was refused', () => {
  it('is recorded with the reason: an invalid token by its address, never with the token', async () => {
    const token = `${await gateway.token('user')}x`;
    const refused = await gateway.as(null, 'GET', '/api/models/some-name?secret=1', undefined, { authorization: `Bearer ${token}` });
    expect(refused.status).toBe(401);
    const id = refused.headers.get('x-request-id');
    const [entry] = await eventually(
      () => list(`request_id=${id}`),
      (found) => found.length > 0,
    );
    expect(entry).toMatchObject({
      actor: '127.0.0.1',
      act: 'refused',
      target: 'GET /api/models/:name',
      detail: expect.stringMatching(/^token_invalid: /),
    });
    expect(JSON.stringify(entry)).not.toContain(token.slice(-40));
  });

  it('cannot fill the disk: a flood of denials becomes a bounded number of entries', async () => {
    const before = (await list('act=refused&limit=500')).length;
    const wrong = { authorization: 'Bearer x' };
    const many = () => Promise.all(Array.from({ length: 25 }, () => gateway.as(null, 'GET', '/api/me', undefined, wrong)));
    for (let round = 0; round < 20; round++) await many();
    const after = (await list('act=refused&limit=500')).length;
    expect(after).toBeGreaterThan(before);
    // The entries of one minute, or of two when the requests span both.
    expect(after).toBeLessThanOrEqual(120);
  });

  it('a request without a token creates no entry', async () => {
    const { headers } = await gateway.as(null, 'GET', '/api/me');
    await gateway.as('user', 'DELETE', '/api/models/one', undefined, { 'x-request-id': 'after-the-stranger' });
    await eventually(
      () => list('request_id=after-the-stranger'),
      (found) => found.length > 0,
    );
    expect(await list(`request_id=${headers.get('x-request-id')}`)).toEqual([]);
  });
});

describe('the chain of the audit', () => {
  it('is verified over HTTP by administrators alone, and shows the head that `pailou audit verify` prints', async () => {
    const verdict = await eventually(
      () => gateway.as('admin', 'GET', '/api/audit/verify'),
      ({ json }) => json.entries > 5,
    );
    expect(verdict.json).toMatchObject({ ok: true, head: { sequence: expect.any(Number), hash: expect.stringMatching(/^[\w-]{43}$/) } });
    expect((await gateway.as('developer', 'GET', '/api/audit/verify')).status).toBe(403);
  });
});
