/** Permissions that are revoked during a chat or a run: each call of an offered tool is authorized again. */
import { afterAll, beforeAll, beforeEach, expect, it } from 'vitest';
import { eventually, type TestGateway } from './gateway.ts';
import { type LoopScene, startLoopScene } from './loop-scene.ts';
import { called, playing, type Script } from './scripted-model.ts';

let scene: LoopScene;
let gateway: TestGateway;
const grants = new Map<string, string>();

const grant = async (capability: string): Promise<void> => {
  const spec = { subject_type: 'role', subject: 'user', capability, action: 'use' };
  const made = await gateway.as('admin', 'POST', '/api/grants', { spec });
  expect(made.status, made.text).toBe(201);
  grants.set(capability, made.json.name as string);
};
const revoke = async (capability: string): Promise<void> => {
  expect((await gateway.as('admin', 'DELETE', `/api/grants/${grants.get(capability)}`)).status).toBe(204);
  grants.delete(capability);
};

beforeAll(async () => {
  // Active requests are re-checked every 30 seconds, so that is not the cause here.
  scene = await startLoopScene();
  ({ gateway } = scene);
  for (const [name, tools] of Object.entries({ telling: ['mcp/slow'], around: ['skill/city'] })) {
    const spec = { kind: 'prompt', description: 'd', model: 'small', tools, options: { instructions: 'Go.' } };
    expect((await gateway.as('admin', 'POST', '/api/skills', { name, spec })).status).toBe(201);
  }
  for (const capability of ['model/small', 'model/writer', 'skill/telling', 'skill/around']) await grant(capability);
});
afterAll(() => scene[Symbol.asyncDispose]());
beforeEach(async () => {
  for (const capability of ['mcp/slow', 'skill/city']) if (!grants.has(capability)) await grant(capability);
});

const chat = (tool: object, stream: boolean) => async () => {
  const messages = [{ role: 'user', content: 'go' }];
  const answer = await gateway.as('user', 'POST', '/v1/chat/completions', { model: 'small', messages, tools: [tool], stream });
  expect(answer.status, answer.text).toBe(200);
};
const background = (skill: string) => async () => {
  const started = await gateway.as('user', 'POST', `/v1/skills/${skill}/runs`, { input: { text: 'x' }, async: true });
  expect(started.status, started.text).toBe(202);
  const ended = await eventually(
    async () => (await gateway.as('user', 'GET', `/v1/runs/${started.json.id}`)).json,
    ({ status }) => status !== 'running',
  );
  expect(ended).toMatchObject({ status: 'completed', steps: [{ status: 'failed', error: 'permission_denied' }] });
};
const slow = { type: 'mcp', server_label: 'slow' };
const say: Script = { 0: [called('c1', 'slow__say', { word: 'x' })] };
const city: Script = { 0: [called('c1', 'skill__city', { text: 'x' })] };

it.each([
  ['a server, a chat', 'mcp/slow', say, chat(slow, false)],
  ['a server, a chat as a stream', 'mcp/slow', say, chat(slow, true)],
  ['a server, a run in the background', 'mcp/slow', say, background('telling')],
  ['a skill, a chat', 'skill/city', city, chat({ type: 'skill', name: 'city' }, false)],
  ['a skill, a run in the background', 'skill/city', city, background('around')],
] as const)('%s: the tool that was offered is refused, in words that the model reads', async (_way, capability, script, go) => {
  const callsBefore = scene.slow.inputs.length;
  const play = playing(() => script);
  scene.vendor.behave(async (request, response) => {
    // The tools were offered in this request.
    if (grants.has(capability)) await revoke(capability);
    play(request, response);
  });
  await go();
  expect(scene.seen().at(-1)).toMatch(/^tool The tool could not be used: You may not use (mcp\/slow\/say|skill\/city): /);
  expect(scene.slow.inputs).toHaveLength(callsBefore);
});

it('a tool whose permission remains is called', async () => {
  scene.vendor.behave(playing(() => say));
  await chat(slow, false)();
  expect(scene.seen().at(-1)).toBe('tool said');
});

it('the model gets no further round', async () => {
  const play = playing(() => say);
  scene.vendor.behave(async (request, response) => {
    if (grants.has('model/small')) await revoke('model/small');
    play(request, response);
  });
  const messages = [{ role: 'user', content: 'go' }];
  const answer = await gateway.as('user', 'POST', '/v1/chat/completions', { model: 'small', messages, tools: [slow] });
  expect([answer.status, answer.json.error?.code]).toEqual([403, 'permission_denied']);
  await grant('model/small');
});
