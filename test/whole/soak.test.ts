/** Many streams at once while vendors fail at random: every call ends whole or with an explicit error, and all counts agree. */
import { readdirSync, readFileSync } from 'node:fs';
import { connect } from 'node:net';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { text } from '../../faults/answers.ts';
import { type FaultServer, startFaultServer } from '../../faults/server.ts';
import { eventually, startGateway, startProcess, type TestGateway } from './gateway.ts';
import { liveMegabytes } from './live-heap.ts';

let gateway: TestGateway;
let vendor: FaultServer;
let token: string;
let processId: number;
let output: () => string;

beforeAll(async () => {
  // A separate process, so that its memory and descriptors are its own.
  gateway = await startGateway({}, async (env) => {
    const started = await startProcess({ ...env, NODE_OPTIONS: '--inspect=127.0.0.1:0' });
    processId = started.pid;
    output = started.output;
    return started;
  });
  vendor = await startFaultServer();
  token = await gateway.token('developer');
  const make = (path: string, body: object) => gateway.as('admin', 'POST', path, body);
  await make('/api/providers', { name: 'faults', spec: { kind: 'openai-compatible', options: { base_url: vendor.url } } });
  const limits = { first_token_ms: 5_000, idle_ms: 5_000, total_ms: 60_000 };
  const circuit = { failures: 1_000, minimum: 100_000 };
  const dice = ['dice-10', 'dice-11', 'dice-12'].map((model) => ({ provider: 'faults', model }));
  await make('/api/models', { name: 'dice', spec: { deployments: dice, limits, circuit } });
  const often = ['dice-40', 'dice-41', 'dice-42'].map((model) => ({ provider: 'faults', model }));
  await make('/api/models', {
    name: 'gone-on',
    spec: { deployments: often, limits: { ...limits, attempts: 8 }, circuit, interrupted: 'resume' },
  });
  await make('/api/models', {
    name: 'endless',
    spec: { deployments: [{ provider: 'faults', model: 'stall-2' }], limits: { ...limits, idle_ms: 60_000 } },
  });
  await make('/api/models', { name: 'flood', spec: { deployments: [{ provider: 'faults', model: 'flood' }], limits } });
});
afterAll(async () => {
  await gateway[Symbol.asyncDispose]();
  await vendor.close();
});

const descriptors = (): number => readdirSync(`/proc/${processId}/fd`).length;

async function call(model = 'dice'): Promise<'whole' | 'error' | 'wrong'> {
  const response = await fetch(`${gateway.url}/v1/chat/completions`, {
    method: 'POST',
    headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
    body: JSON.stringify({
      model,
      stream: true,
      stream_options: { include_usage: true },
      messages: [{ role: 'user', content: 'Hello' }],
    }),
  });
  const body = await response.text();
  const outcome = judge(response.status, body);
  expect(outcome, body.slice(0, 2_000)).not.toBe('wrong');
  return outcome;
}

/** A whole answer with every word, or an explicit error after a prefix; anything else is wrong. */
function judge(status: number, body: string): 'whole' | 'error' | 'wrong' {
  if (status !== 200) return String(JSON.parse(body).error.code).startsWith('upstream_') ? 'error' : 'wrong';
  // Comments keep the connection alive on a busy machine.
  const events = body.split('\n\n').filter((part) => part !== '' && !part.startsWith(':'));
  const said = events
    .filter((part) => part !== 'data: [DONE]')
    .map((part) => JSON.parse(part.slice('data: '.length)).choices?.[0]?.delta?.content ?? '')
    .join('');
  if (events.at(-1) === 'data: [DONE]') return said === text ? 'whole' : 'wrong';
  const explicit = events.at(-1)?.includes('"error":{') === true && !body.includes('"finish_reason":"stop"');
  return explicit && text.startsWith(said) ? 'error' : 'wrong';
}

/** Four rounds take some seconds; sixty about a minute. */
const rounds = Number(process.env['PAILOU_TEST_SOAK_ROUNDS'] ?? 4);
const calls = 500 * rounds + 1;

it(
  '500 streams at once with a tenth of the attempts failing: nothing is lost, and ledger, metrics and vendor agree',
  async () => {
    // The first call may fail like any other.
    let whole = (await call()) === 'whole' ? 1 : 0;
    let failed = 1 - whole;
    let afterTwo = { descriptors: 0, live: 0 };
    for (let round = 0; round < rounds; round++) {
      if (round === 2) afterTwo = { descriptors: descriptors(), live: await liveMegabytes(output()) };
      for (const outcome of await Promise.all(Array.from({ length: 500 }, () => call()))) {
        if (outcome === 'whole') whole++;
        else failed++;
      }
    }
    expect(whole + failed).toBe(calls);
    // A tenth fails; what fails before a word is skipped.
    expect(failed).toBeGreaterThan(0.01 * calls);
    expect(failed).toBeLessThan(0.22 * calls);

    const asked = [...vendor.calls].filter(([model]) => model.startsWith('dice')).reduce((sum, [, each]) => sum + each, 0);
    const metrics = await eventually(
      async () => (await gateway.as('admin', 'GET', '/metrics')).text,
      (found) => count(found, 'pailou_runs_total', 'model/dice') === calls,
    );
    expect(count(metrics, 'pailou_attempts_total', 'dice#')).toBe(asked);

    const listed = await eventually(listRuns, (runs) => runs.size === calls);
    expect([...listed.values()].filter((outcome) => outcome === 'complete')).toHaveLength(whole);
    // Connections are kept alive on both sides; none leaks from one round to the next.
    expect(descriptors() - afterTwo.descriptors).toBeLessThan(150);
    // Live memory after garbage collection; the process itself may keep memory for the next burst.
    const live = await liveMegabytes(output());
    expect(live - afterTwo.live).toBeLessThan(15);
    const numbers = {
      calls,
      whole,
      failed,
      attempts: asked,
      descriptors: [afterTwo.descriptors, descriptors()],
      live: [afterTwo.live, live],
    };
    if (rounds > 4) process.stdout.write(`${JSON.stringify({ ...numbers, resident: Math.round(residentMegabytes()) })}\n`);
  },
  120_000 + rounds * 5_000,
);

it('600 resumable streams, 40 % of attempts failing: no text is lost or repeated', async () => {
  const outcomes = await Promise.all(Array.from({ length: 600 }, () => call('gone-on')));
  const whole = outcomes.filter((outcome) => outcome === 'whole').length;
  // Each call has three deployments; some would end in the middle if they could not be resumed word by word.
  expect(whole).toBeGreaterThan(570);
}, 180_000);

/** Every run by its id, page by page. */
async function listRuns(): Promise<Map<string, string>> {
  const runs = new Map<string, string>();
  for (let after: string | null = ''; after !== null;) {
    const page: { data: { id: string; outcome: string }[]; next: string | null } = (
      await gateway.as('developer', 'GET', `/api/runs?limit=500${after === '' ? '' : `&after=${after}`}`)
    ).json;
    for (const run of page.data) runs.set(run.id, run.outcome);
    after = page.next;
  }
  return runs;
}

/** The sum of a metric over the labels that contain `label`. */
function count(metrics: string, name: string, label: string): number {
  return metrics
    .split('\n')
    .filter((line) => line.startsWith(`${name}{`) && line.includes(`"${label}`))
    .reduce((sum, line) => sum + Number(line.slice(line.lastIndexOf(' ') + 1)), 0);
}

const residentMegabytes = (): number => Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${processId}/status`, 'utf8'))?.[1]) / 1024;

it('clients that never read cause backpressure at their vendors: memory is bounded, others do not wait', async () => {
  const { port } = new URL(gateway.url);
  const body = JSON.stringify({ model: 'flood', stream: true, messages: [{ role: 'user', content: 'Hello' }] });
  const before = residentMegabytes();
  const sockets = Array.from({ length: 10 }, () => {
    const socket = connect(Number(port), '127.0.0.1');
    socket.on('error', () => {});
    socket.pause();
    socket.write(
      `POST /v1/chat/completions HTTP/1.1\r\nhost: x\r\nauthorization: Bearer ${token}\r\ncontent-type: application/json\r\ncontent-length: ${body.length}\r\n\r\n${body}`,
    );
    return socket;
  });
  await eventually(
    async () => vendor.calls.get('flood') ?? 0,
    (asked) => asked === 10,
  );
  await new Promise((resolve) => setTimeout(resolve, 2_000));
  // Ten streams with their socket buffers; without backpressure, two seconds are hundreds of megabytes.
  expect(residentMegabytes() - before).toBeLessThan(120);
  for (let other = 0; other < 10; other++) await call();
  const left = vendor.left;
  for (const socket of sockets) socket.destroy();
  await eventually(
    async () => vendor.left - left,
    (gone) => gone === 10,
  );
}, 180_000);

it('1,200 clients that vanish: the vendor has none of their calls left', async () => {
  const before = { left: vendor.left, asked: vendor.calls.get('stall-2') ?? 0 };
  const body = JSON.stringify({ model: 'endless', stream: true, messages: [{ role: 'user', content: 'Hello' }] });
  const { port } = new URL(gateway.url);
  const sockets = Array.from({ length: 1_200 }, () => {
    const socket = connect(Number(port), '127.0.0.1');
    socket.on('error', () => {});
    socket.resume();
    socket.write(
      `POST /v1/chat/completions HTTP/1.1\r\nhost: x\r\nauthorization: Bearer ${token}\r\ncontent-type: application/json\r\ncontent-length: ${body.length}\r\n\r\n${body}`,
    );
    return socket;
  });
  await eventually(
    async () => (vendor.calls.get('stall-2') ?? 0) - before.asked,
    (asked) => asked === 1_200,
  );
  await new Promise((resolve) => setTimeout(resolve, 200));
  for (const socket of sockets) socket.destroy();
  await eventually(
    async () => vendor.left - before.left,
    (left) => left === 1_200,
  );
}, 180_000);
