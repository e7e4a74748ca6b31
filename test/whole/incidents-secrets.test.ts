/** Published incidents with secrets of vendors and callers. */
import { readdir, readFile } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { readKey } from '../../src/auth/api-key-format.ts';
import type { Answer } from './gateway.ts';
import { operationsOf } from './id-parameters.ts';
import { canaries, chat, chief, user, type Scene, setScene } from './incident-scene.ts';

let scene: Scene;
let companies: Scene['companies'];
let vendor: Scene['vendor'];

beforeAll(async () => {
  scene = await setScene();
  ({ companies, vendor } = scene);
});
afterAll(() => scene[Symbol.asyncDispose]());

function excerpt(text: string, word: string): string {
  const at = text.indexOf(word);
  return at === -1 ? '' : text.slice(Math.max(0, at - 300), at + 100);
}
describe('one-api, llmgateway, and every list of leaked keys: secrets in answers, logs, metrics and on disk', () => {
  it('appear nowhere, even when a vendor repeats the key in its error', async () => {
    const { key } = await companies.keyOf(user);
    await companies.must(chief, 'POST', '/api/mcp-servers', {
      name: 'sealed',
      spec: { kind: 'http', options: { url: `${vendor.url}/mcp`, headers: { 'x-secret': canaries.tools } } },
    });
    const said: string[] = [];
    const collect = async (answer: Promise<Answer>): Promise<Answer> => {
      const { text, headers } = await answer;
      said.push(text, JSON.stringify([...headers]));
      return answer;
    };
    for (const status of [400, 401, 403, 404, 422, 429, 500, 503]) {
      for (const words of [
        `Incorrect API key provided: ${canaries.vendor}. Find it at http://x`,
        JSON.stringify({
          error: { message: `Bearer ${canaries.vendor}`, code: canaries.vendor, type: canaries.vendor, param: canaries.vendor },
        }),
      ]) {
        vendor.behave((request, response) => {
          // A failing vendor may repeat everything that it received.
          response.writeHead(status, {
            'content-type': 'application/json',
            'retry-after': '0',
            'x-echo': String(request.headers.authorization),
          });
          response.end(words.startsWith('{') ? words : JSON.stringify({ error: { message: words } }));
        });
        for (const person of [user, chief]) await collect(companies.as(person, 'POST', '/v1/chat/completions', chat()));
        await collect(companies.as(user, 'POST', '/v1/messages', { ...chat(), max_tokens: 5 }));
        await collect(companies.as(chief, 'POST', '/api/models/test', { spec: { deployments: [{ provider: 'vendor', model: 'm' }] } }));
      }
    }
    // A tool server that repeats its input.
    vendor.behave((request, response) => void response.writeHead(500).end(`you sent ${String(request.headers['x-secret'])}`));
    await collect(
      companies.as(chief, 'POST', '/api/mcp-servers/test', {
        name: 'sealed',
        spec: { kind: 'http', options: { url: `${vendor.url}/mcp`, headers: { 'x-secret': '***' } } },
      }),
    );
    await collect(
      companies.as(chief, 'PUT', '/api/providers/vendor', {
        spec: { kind: 'openai-compatible', options: { base_url: vendor.url, api_key: 7 } },
      }),
    );
    await sleep(1_000);
    const runs = (await collect(companies.as(chief, 'GET', '/api/runs?limit=500'))).json.data as { id: string }[];
    expect(runs.length).toBeGreaterThan(20);
    for (const { id } of runs) await collect(companies.as(chief, 'GET', `/api/runs/${id}`));
    const operations = operationsOf((await scene.bare('GET', '/openapi.json')).json);
    for (const { path } of operations.filter(({ method, path: each }) => method === 'GET' && !each.includes('{')))
      if (!path.startsWith('/mcp')) await collect(companies.as(chief, 'GET', path));
    for (const path of [
      '/api/providers/vendor',
      '/api/mcp-servers/sealed',
      '/api/audit?limit=500',
      '/api/config/history?limit=500',
      '/api/audit/export?format=csv',
    ])
      await collect(companies.as(chief, 'GET', path));

    const places: Record<string, string> = { answers: said.join('\n'), log: scene.output() };
    for (const file of await readdir(companies.gateway.dataDir, { recursive: true, withFileTypes: true }))
      if (file.isFile()) places[file.name] = (await readFile(`${file.parentPath}/${file.name}`)).toString('latin1');
    const token = await companies.tokenOf(chief);
    const secrets = { ...canaries, key: key.slice(-30), token: token.slice(-30) };
    for (const [place, text] of Object.entries(places))
      for (const [name, secret] of Object.entries(secrets))
        expect(text.includes(secret), `${name} in ${place}: ${excerpt(text, secret)}`).toBe(false);
    // The fingerprint of the key is hidden too.
    expect(places['answers']).toContain(key.split('_')[1]);
    expect(places['answers']).not.toContain(readKey(key)?.hash);
  });
});
