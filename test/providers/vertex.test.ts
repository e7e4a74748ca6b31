import { generateKeyPairSync } from 'node:crypto';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { importSPKI, type JWTPayload, jwtVerify } from 'jose';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import geminiFormat from '../../src/models/vendor-formats/gemini/plugin.ts';
import vertexFormat from '../../src/models/vendor-formats/vertex/plugin.ts';
import { createAccessTokens } from '../../src/providers/google/access-tokens.ts';
import vertex from '../../src/providers/vertex.ts';
import { completion, dribble, json, type ScriptedVendor, startVendor, streamText } from './scripted-vendor.ts';

const keys = generateKeyPairSync('rsa', {
  modulusLength: 2048,
  privateKeyEncoding: { type: 'pkcs8', format: 'pem' },
  publicKeyEncoding: { type: 'spki', format: 'pem' },
});

let vendor: ScriptedVendor;
let exchanges: string[] = [];
let seen: { url?: string | undefined; authorization?: string | undefined }[] = [];
let token: (response: ServerResponse) => void;
let answer: (request: IncomingMessage, response: ServerResponse) => void;

beforeAll(async () => {
  vendor = await startVendor(geminiFormat, vertexFormat);
});
afterAll(() => vendor.close());
beforeEach(() => {
  exchanges = [];
  seen = [];
  token = (response) => json(response, 200, { access_token: `token-${exchanges.length}`, expires_in: 3600, token_type: 'Bearer' });
  answer = (_request, response) => json(response, 200, { candidates: [{ content: { parts: [{ text: 'ok' }] }, finishReason: 'STOP' }] });
  vendor.play((request, response) => {
    if (request.url === '/token') {
      exchanges.push(request.body);
      token(response);
      return;
    }
    seen.push({ url: request.url, authorization: request.headers.authorization });
    answer(request, response);
  });
});

const account = () => ({
  type: 'service_account',
  client_email: 'pailou@p.iam.gserviceaccount.com',
  private_key: keys.privateKey,
  private_key_id: 'key-1',
  token_uri: `${vendor.base}/token`,
});
const options = (more: object = {}) => ({
  project: 'my-project',
  location: 'europe-west4',
  base_url: `${vendor.base}/v1`,
  service_account: JSON.stringify(account()),
  ...more,
});

describe('Vertex AI', () => {
  test('streams from its own address with a token from a signed JWT', async () => {
    answer = (_request, response) =>
      dribble(response, 'text/event-stream', `data: {"candidates":[{"content":{"parts":[{"text":"你好"}]},"finishReason":"STOP"}]}\n\n`);
    const deployment = await vendor.deployment(vertex, options(), 'gemini-2.5-pro');
    expect(await streamText(await vendor.chat(deployment, {}, true))).toContain('你好');
    const place = '/v1/projects/my-project/locations/europe-west4/publishers/google/models';
    expect(seen).toEqual([{ url: `${place}/gemini-2.5-pro:streamGenerateContent?alt=sse`, authorization: 'Bearer token-1' }]);
    const form = new URLSearchParams(exchanges[0]);
    expect(form.get('grant_type')).toBe('urn:ietf:params:oauth:grant-type:jwt-bearer');
    const { payload, protectedHeader } = await jwtVerify<JWTPayload>(
      form.get('assertion') ?? '',
      await importSPKI(keys.publicKey, 'RS256'),
      {
        audience: `${vendor.base}/token`,
        issuer: 'pailou@p.iam.gserviceaccount.com',
      },
    );
    expect(payload['scope']).toBe('https://www.googleapis.com/auth/cloud-platform');
    expect(protectedHeader).toMatchObject({ alg: 'RS256', kid: 'key-1' });
  });

  test('fetches one token for concurrent and for later calls', async () => {
    const deployment = await vendor.deployment(vertex, options(), 'gemini-2.5-pro');
    const call = async () => completion(await vendor.chat(deployment, {}, false));
    await Promise.all([call(), call(), call()]);
    await call();
    expect(exchanges).toHaveLength(1);
    expect(new Set(seen.map(({ authorization }) => authorization))).toEqual(new Set(['Bearer token-1']));
  });

  test('fetches a new token after a refusal', async () => {
    const deployment = await vendor.deployment(vertex, options(), 'gemini-2.5-pro');
    const good = answer;
    answer = (_request, response) => json(response, 401, { error: { code: 401, status: 'UNAUTHENTICATED', message: 'x' } });
    await expect(vendor.chat(deployment, {}, false)).rejects.toMatchObject({ code: 'upstream_authentication' });
    answer = good;
    await completion(await vendor.chat(deployment, {}, false));
    expect(seen.at(-1)?.authorization).toBe('Bearer token-2');
  });

  test.each([
    [400, { error: 'invalid_grant', error_description: 'Invalid JWT Signature.' }, 'upstream_authentication'],
    [500, { error: 'internal_failure' }, 'upstream_unavailable'],
    [200, { odd: true }, 'upstream_authentication'],
  ])('reports an answer %i %j of the token service', async (status, body, code) => {
    token = (response) => json(response, status, body);
    const deployment = await vendor.deployment(vertex, options(), 'gemini-2.5-pro');
    await expect(vendor.chat(deployment, {}, false)).rejects.toMatchObject({ code });
    expect(seen).toEqual([]);
  });

  test('accepts a configured access token', async () => {
    const { service_account: _none, ...own } = options({ access_token: 'mine', location: 'global' });
    await completion(await vendor.chat(await vendor.deployment(vertex, own, 'gemini-2.5-pro'), {}, false));
    expect(seen[0]).toMatchObject({ authorization: 'Bearer mine', url: expect.stringContaining('/locations/global/') as string });
    expect(exchanges).toEqual([]);
  });

  test('embeds by prediction', async () => {
    answer = (_request, response) =>
      json(response, 200, { predictions: [{ embeddings: { values: [1, 2], statistics: { token_count: 2 } } }] });
    const deployment = await vendor.deployment(vertex, options(), 'text-embedding-005');
    const vectors = await vendor.invoker.embeddings(deployment, { model: 'm', input: 'a' }, { signal: new AbortController().signal });
    expect(vectors).toMatchObject({ vectors: [[1, 2]], usage: { inputTokens: 2 } });
    expect(seen[0]?.url).toMatch(/text-embedding-005:predict$/);
  });

  test.each([
    [{ service_account: '{' }, 'is not JSON'],
    [{ service_account: '[]' }, 'not a JSON object'],
    [{ service_account: '{"private_key":"x"}' }, 'client_email'],
    [{ service_account: '{"client_email":"x"}' }, 'private_key'],
    [{ service_account: '{"client_email":"x","private_key":"x"}' }, 'RSA key'],
    [{ access_token: 'too' }, 'not both'],
  ])('refuses the options %j', async (more, words) => {
    await expect(vendor.deployment(vertex, options(more), 'm')).rejects.toMatchObject({
      code: 'configuration_invalid',
      message: expect.stringContaining(words) as string,
    });
  });

  test('has an address for each location', async () => {
    const call = { operation: 'chat', model: 'gemini-2.5-pro', stream: false, warn: () => undefined } as const;
    for (const [location, host] of [
      ['global', 'aiplatform.googleapis.com'],
      ['us-central1', 'us-central1-aiplatform.googleapis.com'],
      ['eu', 'aiplatform.eu.rep.googleapis.com'],
    ] as const) {
      const made = await vertex.create(vertex.options.parse({ project: 'p', location, access_token: 't' }), vendor.services);
      expect(made.address(call)).toBe(
        `https://${host}/v1/projects/p/locations/${location}/publishers/google/models/gemini-2.5-pro:generateContent`,
      );
    }
  });
});

describe('access tokens', () => {
  test('are renewed before they expire, and an old one stays in use when the renewal fails', async () => {
    let now = 1_700_000_000_000;
    let fails = false;
    let count = 0;
    const send: typeof fetch = () => {
      count++;
      if (fails) return Promise.reject(new Error('down'));
      return Promise.resolve(Response.json({ access_token: `t${count}`, expires_in: 3600 }));
    };
    const { client_email: clientEmail, private_key: privateKey, token_uri: tokenAddress } = account();
    const tokens = await createAccessTokens(
      { clientEmail, privateKey, privateKeyId: undefined, tokenAddress },
      { fetch: send, now: () => now },
    );
    expect(await tokens.get()).toBe('t1');
    now += 54 * 60_000;
    expect(await tokens.get()).toBe('t1');
    now += 2 * 60_000;
    expect(await tokens.get()).toBe('t2');
    now += 57 * 60_000;
    fails = true;
    expect(await tokens.get()).toBe('t2');
    now += 4 * 60_000;
    await expect(tokens.get()).rejects.toMatchObject({ code: 'upstream_unavailable' });
    fails = false;
    expect(await tokens.get()).toMatch(/^t\d$/);
  });
});
