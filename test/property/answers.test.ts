/**
 * Random answers of every wire format, cut anywhere and sent in chunks of any size. The clients of the three
 * client formats get the answer or an explicit error, and the ledger has its counts. `PROPERTY_SEED=123 npx vitest run test/property` repeats one, `PROPERTY_ROUNDS=1000` runs more.
 */
import { setImmediate as turn } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Scene, type Script, startScene, type CallResult } from '../dispatch/scene.ts';
import { readAll } from './client-readers.ts';
import { below, type Content, contentOf, type Random, randomOf, randomSteps, type Step } from './random-answer.ts';
import { type Frame, type Writer, writers } from './vendor-writers.ts';

let scene: Scene;
beforeAll(async () => {
  scene = await startScene();
});
afterAll(() => scene.close());

const given = process.env['PROPERTY_SEED'];
const rounds = given === undefined ? Number(process.env['PROPERTY_ROUNDS'] ?? 40) : 1;
const firstSeed = given === undefined ? Math.floor(Math.random() * 1_000_000_000) : Number(given);

interface Sent {
  readonly frames: readonly Frame[];
  /** The number of bytes that are sent before the body ends as `how` says. */
  readonly bytes: number;
  readonly how: 'end' | 'close' | 'reset';
  readonly isCut: boolean;
  /** True when the vendor's last frame marks the end of the answer. */
  readonly proper: boolean;
}

function randomSent(random: Random, writer: Writer): Sent {
  const { steps, proper } = randomSteps(random, writer);
  const frames = writer.frames(steps, proper && random() < 0.85);
  const total = frames.reduce((sum, { bytes }) => sum + bytes.length, 0);
  const isCut = random() < 0.4;
  const how = isCut ? (['end', 'close', 'reset'] as const)[below(random, 3)] : 'end';
  return { frames, bytes: isCut ? below(random, total) : total, how: how ?? 'end', isCut, proper };
}

/** The vendor script: chunks of random sizes, with random pauses. */
function scriptOf(random: Random, { frames, bytes, how }: Sent, contentType: string): Script {
  const all = Buffer.concat(frames.map((frame) => frame.bytes)).subarray(0, bytes);
  return async ({ wire }) => {
    wire.head(200, { 'content-type': contentType, 'transfer-encoding': 'chunked' });
    const largest = 1 + below(random, 400);
    for (let at = 0; at < all.length;) {
      const piece = all.subarray(at, at + 1 + below(random, largest));
      wire.raw(Buffer.concat([Buffer.from(`${piece.length.toString(16)}\r\n`), piece, Buffer.from('\r\n')]));
      at += piece.length;
      if (random() < 0.5) await turn();
    }
    if (how === 'end') wire.endStream();
    else wire[how]();
  };
}

/** The steps of the frames that arrived completely, and those of the cut one. */
function arrived({ frames, bytes }: Sent, closing: number): { readonly whole: readonly Step[]; readonly cut: readonly Step[] } {
  const whole: Step[] = [];
  let left = bytes;
  for (const frame of frames) {
    if (left < frame.bytes.length - closing) return { whole, cut: frame.steps };
    left -= frame.bytes.length;
    whole.push(...frame.steps);
  }
  return { whole, cut: [] };
}

function isPrefix(one: readonly string[], other: readonly string[]): boolean {
  return one.every((each, at) => (at === one.length - 1 ? other[at]?.startsWith(each.replace(/\)$/, '')) : each === other[at]));
}

/** Expects a prefix of the vendor's content, in its order. */
function expectBeginning(got: Content, all: Content): void {
  expect(all.text.startsWith(got.text), `${JSON.stringify(got.text)} begins ${JSON.stringify(all.text)}`).toBe(true);
  expect(all.thoughts.startsWith(got.thoughts)).toBe(true);
  for (const part of ['calls', 'images', 'citations'] as const) expect(isPrefix(got[part], all[part]), part).toBe(true);
}

/** The emitted text is a prefix of the vendor's, and the stream ends with an explicit error. */
function expectError(result: CallResult, sent: Sent, steps: readonly Step[]): void {
  expect(sent.isCut || !sent.proper, `an answer that came whole is no error: ${result.error?.message}`).toBe(true);
  expect(result.record.outcome).toBe('error');
  expect(result.events.some(({ type }) => type === 'finish' || type === 'response-end')).toBe(false);
  const images = result.events.flatMap((event) => (event.type === 'image' ? [event.url] : []));
  expectBeginning({ ...contentOf([]), text: result.text, thoughts: result.reasoning, images }, contentOf(steps));
}

/** Expects all content of the vendor, the last finish reason and the last counts at every client. */
async function expectWhole(result: CallResult, format: string, steps: readonly Step[]): Promise<void> {
  expect(result.record).toMatchObject({ outcome: 'complete', error: null });
  const finish = steps.findLast((step) => step.kind === 'finish');
  const counts = steps.findLast((step) => step.kind === 'counts');
  expect(finish !== undefined || counts !== undefined, 'an answer without an end is an error').toBe(true);
  const clients = await readAll(result.events);
  for (const [client, got] of Object.entries(clients)) expect({ client, ...got }).toEqual({ client, ...contentOf(steps) });
  const reason = finish?.kind === 'finish' ? finish.reason : 'stop';
  expect(result.finish).toBe(reason === 'stop' && steps.some(({ kind }) => kind === 'call') ? 'tool_calls' : reason);
  const { usage } = result.record;
  expect(usage?.outputTokens, 'the last counts').toBe(counts?.kind === 'counts' ? counts.output : usage?.outputTokens);
  // Anthropic's first event already has counts.
  expect(usage?.estimated ?? false, 'estimated').toBe(counts === undefined && format !== 'anthropic');
}

async function tryOne(format: string, writer: Writer, seed: number): Promise<void> {
  const random = randomOf(seed);
  const sent = randomSent(random, writer);
  const deployment = scene.deployment('a', await scene.vendor(scriptOf(random, sent, writer.contentType)), { format });
  const result = await scene.ask(scene.model([deployment], { limits: { first_token_ms: 20_000, idle_ms: 20_000, total_ms: 60_000 } }));
  const { whole, cut } = arrived(sent, writer.closing);
  expect(result.record.attempts).toHaveLength(1);
  if (result.error === null) await expectWhole(result, format, whole);
  else expectError(result, sent, [...whole, ...cut]);
}

describe.each(Object.entries(writers))('answers of %s', (format, writer) => {
  it(`reach clients whole, or end with an error, from seed ${firstSeed} on`, { timeout: 120_000 + rounds * 1_000 }, async () => {
    const failures: unknown[] = [];
    for (let seed = firstSeed; seed < firstSeed + rounds && failures.length === 0; seed++) {
      await tryOne(format, writer, seed).catch((thrown: unknown) => failures.push(`PROPERTY_SEED=${seed}`, thrown));
    }
    expect(failures).toEqual([]);
  });
});
