/** Limits of skill runs: cycles, depth, tokens, time. */
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { eventually, type TestGateway } from './gateway.ts';
import { type SkillScene, skill, calling, startSkillScene } from './skill-scene.ts';
import { answerOk, chunks, completion, type Vendor } from './vendor.ts';

let scene: SkillScene;
let gateway: TestGateway;
let vendor: Vendor;
let make: SkillScene['make'];
let run: SkillScene['run'];
let chat: SkillScene['chat'];

beforeAll(async () => {
  scene = await startSkillScene();
  ({ gateway, vendor, make, run, chat } = scene);
});
afterAll(() => scene[Symbol.asyncDispose]());
beforeEach(() => vendor.behave((request, response) => answerOk(request, response, 'Gardens.')));

describe('limits of skill runs', () => {
  it('stop skills that call each other', async () => {
    await make('ping', skill());
    await make('pong', skill({ tools: ['skill/ping'] }));
    const both = await gateway.as('admin', 'PUT', '/api/skills/ping', { spec: skill({ tools: ['skill/pong'] }) });
    expect(both.status, both.text).toBe(200);
    vendor.behave((request, response) => {
      const [tool] = (request.body.tools ?? []) as { function: { name: string } }[];
      return calling(tool?.function.name ?? '', { city: 'x' })(request, response);
    });
    const answer = await run('ping', { city: 'x' });
    expect(answer.status, answer.text).toBe(200);
    expect(answer.json.output).toContain('would call itself');
  });

  it('check each required permission once, however many skills refer to each other', async () => {
    const names = Array.from({ length: 12 }, (_, index) => `friend-${index}`);
    for (const name of names) await make(name, skill());
    for (const name of names) {
      const spec = skill({ tools: names.filter((other) => other !== name).map((other) => `skill/${other}`) });
      expect((await gateway.as('admin', 'PUT', `/api/skills/${name}`, { spec })).status).toBe(200);
    }
    // Twelve skills that refer to each other have millions of ways.
    const answer = await run('friend-0', { city: 'x' });
    expect(answer.status, answer.text).toBe(200);
  });

  it('count levels of skills, for each enclosing skill', async () => {
    const chain = (next: string | null, depth = 4) => skill({ tools: next === null ? [] : [`skill/${next}`], limits: { depth } });
    for (const [name, next] of Object.entries({ five: null, four: 'five', three: 'four', two: 'three', one: 'two' }))
      await make(name, chain(next));
    const outermost: Record<string, string> = {};
    vendor.behave((request, response) => {
      const [tool] = (request.body.tools ?? []) as { function: { name: string } }[];
      outermost[tool?.function.name ?? 'none'] = 'asked';
      return tool === undefined ? answerOk(request, response, 'deepest') : calling(tool.function.name, { city: 'x' })(request, response);
    });
    expect((await run('two', { city: 'x' })).json.output).toBe('It says: It says: It says: deepest');
    expect((await run('one', { city: 'x' })).json.output).toContain('too deep: within "one" skills may call skills down to 4 levels');
    await make('shallow', chain('five', 1));
    expect((await run('shallow', { city: 'x' })).json.output).toContain('within "shallow"');
    await make('leaf', chain(null, 1));
    vendor.behave(calling('skill__leaf', { city: 'x' }));
    const asTool = await chat({ model: 'scripted', messages: [{ role: 'user', content: 'go' }], tools: [{ type: 'skill', name: 'leaf' }] });
    expect(asTool.json.choices[0].message.content).toBe('It says: Gardens.');
  });

  it('apply to a tool that never returns, and to work beside a failed step', async () => {
    await make('slow', skill({ limits: { total_ms: 400 } }));
    vendor.behave(() => {});
    const slow = await run('slow', { city: 'x' });
    expect(slow.json.error).toMatchObject({ code: 'upstream_timeout', message: 'The skill "slow" took longer than its 400 ms.' });
    // The text emitted so far is in the answer, and matches the ledger.
    vendor.behave((_request, response) => {
      response.writeHead(200, { 'content-type': 'text/event-stream' });
      for (const each of chunks(Array.from({ length: 40 }, (_, index) => `word${index} `)).slice(0, 30)) response.write(each);
    });
    const cut = await run('slow', { city: 'x' }, { stream: true });
    const failure = JSON.parse(/event: failed\ndata: (.*)/.exec(cut.text)?.[1] ?? 'null') as {
      id: string;
      usage: { output_tokens: number };
    };
    expect(failure.usage.output_tokens).toBeGreaterThan(0);
    const spent = await eventually(
      async () => (await gateway.as('developer', 'GET', `/v1/runs/${failure.id}`)).json.spent as { output_tokens: number } | undefined,
      (each) => each !== undefined,
    );
    expect(spent?.output_tokens).toBe(failure.usage.output_tokens);
    const steps = [{ id: 'a', each: '{{input.list}}', at_once: 2, with: { prompt: '{{item}}' }, retry: { times: 5, delay_ms: 100 } }];
    await make('beside', { kind: 'pipeline', description: 'd', model: 'scripted', options: { input_schema: { type: 'object' }, steps } });
    let asked = 0;
    vendor.behave((request, response) => {
      asked++;
      const isBad = JSON.stringify(request.body.messages).includes('bad');
      response.writeHead(isBad ? 400 : 500, { 'content-type': 'application/json' }).end('{"error":{"message":"no"}}');
    });
    expect((await run('beside', { list: ['bad', 'slow'] })).status).toBe(400);
    const soon = asked;
    await new Promise((resolve) => setTimeout(resolve, 700));
    // A call in transit may have arrived; no new one began.
    expect(asked - soon).toBeLessThan(2);
  });

  it('end a model that calls tools forever, and a skill that has spent its tokens', async () => {
    await make('endless', skill({ tools: ['skill/city'], limits: { steps: 2 } }));
    let asked = 0;
    vendor.behave((request, response) => {
      if (request.body.tools === undefined) return answerOk(request, response, 'Gardens.');
      asked++;
      const call = { id: `c${asked}`, type: 'function', function: { name: 'skill__city', arguments: '{"city":"x"}' } };
      response.writeHead(200, { 'content-type': 'application/json' }).end(completion(null, { tool_calls: [call] }, 'tool_calls'));
    });
    expect((await run('endless', { city: 'x' })).status).toBe(200);
    expect(asked).toBe(3);
    await make('thirsty', skill({ tools: ['skill/city'], limits: { steps: 8, tokens: 1 } }));
    asked = 0;
    expect((await run('thirsty', { city: 'x' })).json.error).toMatchObject({ code: 'step_limit_reached' });
    expect(asked).toBe(1);
    await make('poor', skill({ limits: { tokens: 7 } }, { output_schema: { type: 'object', required: ['never'] } }));
    vendor.behave((request, response) => answerOk(request, response, 'no JSON'));
    const poor = await run('poor', { city: 'x' });
    expect(poor.json.error).toMatchObject({ code: 'step_limit_reached', message: 'The skill "poor" has used its limit of 7 tokens.' });
  });
});
