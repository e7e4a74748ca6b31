/** Test cases of skills: over the API, on the command line, and as a condition of publishing. */
import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { node, startGateway, type TestGateway } from './gateway.ts';
import { answerOk, startVendor, type Vendor } from './vendor.ts';

const owned = new AsyncDisposableStack();
let gateway: TestGateway;
let vendor: Vendor;
const spec = {
  kind: 'prompt',
  description: 'd',
  model: 'good',
  options: { instructions: 'Capital?' },
  publish_needs_cases: true,
  cases: [
    { name: 'words', input: { text: 'China' }, expect: { contains: ['beijing'] } },
    { name: 'exact', input: { text: 'China' }, expect: { equals: 'It is Beijing.' } },
    { name: 'judged', input: { text: 'China' }, expect: { judge: { model: 'judge', question: 'Is it right?' } } },
    { name: 'shaped', input: { text: 'China' }, expect: { schema: { type: 'string', maxLength: 20 } } },
  ],
};

beforeAll(async () => {
  gateway = owned.use(await startGateway());
  vendor = owned.use(await startVendor());
  vendor.behave((request, response) => {
    const asked = JSON.stringify(request.body.messages);
    if (request.body.model === 'j') return answerOk(request, response, asked.includes('Beijing') ? 'Yes, it is.' : 'No: it is Beijing.');
    return answerOk(request, response, request.body.model === 'g' ? 'It is Beijing.' : 'It is Shanghai, no doubt about it.');
  });
  await gateway.as('admin', 'POST', '/api/providers', {
    name: 'vendor',
    spec: { kind: 'openai-compatible', options: { base_url: vendor.url } },
  });
  for (const [name, model] of Object.entries({ good: 'g', bad: 'b', judge: 'j' }))
    await gateway.as('admin', 'POST', '/api/models', { name, spec: { deployments: [{ provider: 'vendor', model }] } });
  const made = await gateway.as('admin', 'POST', '/api/skills', { name: 'capital', spec });
  expect(made.status, made.text).toBe(201);
});
afterAll(() => owned.disposeAsync());

it('report for each model the passed cases and the faults of the others', async () => {
  const answer = await gateway.as('admin', 'POST', '/api/skills/capital/evaluate', { models: ['good', 'bad'] });
  expect(answer.status, answer.text).toBe(200);
  expect(answer.json).toMatchObject({ passed: 4, failed: 4 });
  const of = (model: string) => answer.json.data.filter((each: { model: string }) => each.model === model);
  expect(of('good').map((each: { tokens: number; fault: string | null }) => [each.tokens, each.fault])).toEqual(
    [7, 7, 7, 7].map((tokens) => [tokens, null]),
  );
  expect(of('bad').map((each: { fault: string }) => each.fault)).toEqual([
    'it does not contain "beijing"',
    'it is not "It is Beijing."',
    'the judge says: No: it is Beijing.',
    'it must NOT have more than 20 characters',
  ]);
  const nobody = await gateway.as('admin', 'POST', '/api/skills/capital/evaluate', { models: ['good', 'nobody'] });
  expect(nobody.json.error).toMatchObject({ code: 'model_not_found', message: 'There is no model named "nobody" for you.' });
  expect((await gateway.as('developer', 'POST', '/api/skills/capital/evaluate', {})).status).toBe(403);
  await gateway.as('admin', 'POST', '/api/skills', { name: 'bare', spec: { ...spec, cases: [], publish_needs_cases: false } });
  expect((await gateway.as('admin', 'POST', '/api/skills/bare/evaluate', {})).json.error).toMatchObject({ param: 'cases' });
});

it('are required before publishing', async () => {
  await gateway.as('admin', 'PUT', '/api/skills/capital', { spec: { ...spec, model: 'bad' } });
  const refused = await gateway.as('admin', 'POST', '/api/skills/capital/publish', {});
  expect(refused.json.error).toMatchObject({
    code: 'invalid_request',
    param: 'cases',
    message: expect.stringContaining('4 of 4 cases fail') as string,
  });
  expect((await gateway.as('admin', 'GET', '/api/skills/capital/versions')).json.data).toEqual([]);
  await gateway.as('admin', 'PUT', '/api/skills/capital', { spec });
  expect((await gateway.as('admin', 'POST', '/api/skills/capital/publish', {})).status).toBe(200);
  // The row itself passed no cases, so a rollback cannot select it.
  const undone = await gateway.as('admin', 'POST', '/api/skills/capital/rollback', { version: null });
  expect([undone.status, undone.json.error]).toMatchObject([
    400,
    { param: 'version', message: expect.stringContaining('publish_needs_cases') as string },
  ]);
  const put = await gateway.as('admin', 'PUT', '/api/skills/capital', { spec: { ...spec, live: null } });
  expect([put.status, put.json.error.param]).toEqual([400, 'spec.live']);
  expect((await gateway.as('admin', 'POST', '/api/skills/capital/rollback', { version: '1.0.0' })).status).toBe(200);
  await gateway.as('admin', 'PUT', '/api/skills/capital', { spec: { ...spec, publish_needs_cases: false } });
  expect((await gateway.as('admin', 'POST', '/api/skills/capital/rollback', { version: null })).status).toBe(200);
});

it('are run by the command line, with an exit code', async () => {
  const run = async (...args: string[]) => {
    const token = await gateway.token('admin');
    return new Promise<{ code: number; out: string }>((resolve) => {
      const program = join(import.meta.dirname, '../../src/cli.ts');
      execFile(node, [program, 'skills', 'test', 'capital', '--url', gateway.url, '--token', token, ...args], (error, out, bad) =>
        resolve({ code: typeof error?.code === 'number' ? error.code : 0, out: out + bad }),
      );
    });
  };
  const good = await run();
  expect(good).toMatchObject({ code: 0, out: expect.stringMatching(/pass {2}words {3}good/) as string });
  const bad = await run('--model', 'bad');
  expect(bad).toMatchObject({ code: 1, out: expect.stringContaining('FAIL  judged  bad') as string });
});
