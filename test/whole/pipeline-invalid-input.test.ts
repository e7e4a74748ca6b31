/** Input values in the fields of a pipeline's model step: invalid ones are refused with step and field, before a vendor is called. */
import { afterAll, beforeAll, expect, it } from 'vitest';
import { type SkillScene, startSkillScene } from './skill-scene.ts';

let scene: SkillScene;
beforeAll(async () => {
  scene = await startSkillScene();
  for (const field of ['messages', 'tools', 'stream', 'n', 'temperature', 'gateway']) {
    const given = { ...(field === 'messages' ? {} : { prompt: 'Hi' }), [field]: '{{input.x}}' };
    const options = { input_schema: { type: 'object' }, steps: [{ id: 'ask', with: given }] };
    await scene.make(`odd-${field}`, { kind: 'pipeline', description: 'd', model: 'scripted', options });
  }
});
afterAll(() => scene[Symbol.asyncDispose]());

it.each([
  ['tools', 'x', 'tools: must be a list'],
  ['tools', 5, 'tools: must be a list'],
  ['tools', { type: 'mcp' }, 'tools: must be a list'],
  ['tools', [null], 'tools[0]: must be an object'],
  ['tools', ['x'], 'tools[0]: must be an object'],
  ['messages', [1, 2], 'with.messages must be a list of messages'],
  ['messages', [{ content: 'x' }], 'messages[0].role: is missing'],
  ['messages', [{ role: 5 }], 'messages[0].role: must be a text'],
  ['stream', 'yes', 'stream: must be true or false'],
  ['n', -1, 'n: must be'],
  ['temperature', 'hot', 'temperature: must be a number'],
  ['gateway', { max_step: 1 }, 'gateway'],
])('%s of %j', async (field, x, words) => {
  const asked = scene.vendor.requests.length;
  const answer = await scene.run(`odd-${field}`, { x });
  expect(answer.status, answer.text).toBe(400);
  expect(answer.json.error.code).toBe('invalid_request');
  expect(answer.json.error.message).toContain(`Step "ask": ${words}`);
  expect(scene.vendor.requests).toHaveLength(asked);
});

it('valid fields are sent to the model unchanged, and Pailou’s own are not', async () => {
  expect((await scene.run('odd-temperature', { x: 0.5 })).status).toBe(200);
  expect(scene.vendor.requests.at(-1)?.body).toMatchObject({ temperature: 0.5 });
  expect((await scene.run('odd-gateway', { x: { max_steps: 3 } })).status).toBe(200);
  expect(scene.vendor.requests.at(-1)?.body).not.toHaveProperty('gateway');
  expect((await scene.run('odd-stream', { x: true })).status).toBe(200);
});
