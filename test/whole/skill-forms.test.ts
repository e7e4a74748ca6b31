/** Many large forms at once: the memory of one person is bounded, during upload and processing. */
import { once } from 'node:events';
import { type ClientRequest, type IncomingMessage, request } from 'node:http';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { eventually } from './gateway.ts';
import { type SkillScene, skill, startSkillScene } from './skill-scene.ts';

let scene: SkillScene;
beforeAll(async () => {
  scene = await startSkillScene();
  await scene.make('filed', skill({}, { instructions: 'Go.', input_schema: { type: 'object' } }));
});
afterAll(() => scene[Symbol.asyncDispose]());

const large = 60 * 1024 * 1024;

/** Declares `bytes`, and sends only the start. */
async function begin(bytes: number | null): Promise<ClientRequest> {
  const size: Record<string, string> = bytes === null ? {} : { 'content-length': String(bytes) };
  const headers = {
    authorization: `Bearer ${await scene.gateway.token('developer')}`,
    'content-type': 'multipart/form-data; boundary=x',
    ...size,
  };
  const sent = request(`${scene.gateway.url}/v1/skills/filed/runs`, { method: 'POST', headers });
  sent.on('error', () => {});
  sent.write('--x\r\nContent-Disposition: form-data; name="file"; filename="f"\r\n\r\n');
  return sent;
}

async function answerTo(sent: ClientRequest): Promise<{ status: number; after: string | undefined; code: string }> {
  const [answer] = (await once(sent, 'response')) as [IncomingMessage];
  let text = '';
  for await (const part of answer) text += String(part);
  const { error } = JSON.parse(text) as { error?: { code: string } };
  return { status: answer.statusCode ?? 0, after: answer.headers['retry-after'], code: error?.code ?? '' };
}

const small = async (more: Record<string, string> = {}, note = 'x') => {
  const form = new FormData();
  for (const [field, text] of Object.entries({ note, ...more })) form.set(field, text);
  const headers = { authorization: `Bearer ${await scene.gateway.token('developer')}` };
  return fetch(`${scene.gateway.url}/v1/skills/filed/runs`, { method: 'POST', body: form, headers });
};

it('a form above the limit is refused before it is read, and accepted when there is room again', async () => {
  const open = [await begin(large), await begin(large)];
  await new Promise((resolve) => setTimeout(resolve, 300));
  const late = await begin(large);
  expect(await answerTo(late)).toEqual({ status: 429, after: '5', code: 'rate_limited' });
  late.destroy();
  // A form without a declared size is refused when it grows too large.
  const growing = await begin(null);
  growing.write(Buffer.alloc(16 * 1024 * 1024, 65));
  expect(await answerTo(growing)).toEqual({ status: 429, after: '5', code: 'rate_limited' });
  growing.destroy();
  expect((await small()).status).toBe(200);
  for (const each of open) each.destroy();
  const waits = async () => {
    const again = await begin(large);
    const answer = await Promise.race([answerTo(again), new Promise((resolve) => setTimeout(() => resolve('waits'), 200))]);
    again.destroy();
    return answer;
  };
  await eventually(waits, (answer) => answer === 'waits');
});

it('a background run keeps its reservation until it ends', async () => {
  const finish = Promise.withResolvers<void>();
  scene.vendor.behave(async (_request, response) => {
    await finish.promise;
    response.writeHead(500).end();
  });
  const file = 'y'.repeat(4_000_000);
  const fields = Object.fromEntries(Array.from({ length: 15 }, (_, index) => [`f${index}`, file]));
  const started = [await small({ async: 'true', ...fields }), await small({ async: 'true', ...fields })];
  expect(started.map(({ status }) => status)).toEqual([202, 202]);
  const late = await begin(large);
  expect(await answerTo(late)).toEqual({ status: 429, after: '5', code: 'rate_limited' });
  late.destroy();
  finish.resolve();
  const ended = async (each: Response) => {
    const { id } = (await each.json()) as { id: string };
    const standing = async () => (await scene.gateway.as('developer', 'GET', `/v1/runs/${id}`)).json.status as string;
    await eventually(standing, (status) => status !== 'running', 15_000);
  };
  await Promise.all(started.map(ended));
  scene.vendor.behave((_request, response) => void response.writeHead(500).end());
  const again = await begin(large);
  const answer = await Promise.race([answerTo(again), new Promise((resolve) => setTimeout(() => resolve('waits'), 300))]);
  again.destroy();
  expect(answer).toBe('waits');
});
