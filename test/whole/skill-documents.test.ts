/** A long document through the whole gateway: as a form, with progress, in bounded memory, each model call recorded. */
import { readFileSync } from 'node:fs';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { makePdf, pdfOf } from '../extensions/skills/document-builders.ts';
import { eventually, startGateway, startProcess, type TestGateway } from './gateway.ts';
import { answerOk, startVendor, type Vendor } from './vendor.ts';

const owned = new AsyncDisposableStack();
let gateway: TestGateway;
let vendor: Vendor;
let pid = 0;

beforeAll(async () => {
  gateway = owned.use(
    await startGateway({}, async (env) => {
      const started = await startProcess(env);
      pid = started.pid;
      return started;
    }),
  );
  vendor = owned.use(await startVendor());
  vendor.behave((request, response) => {
    const text = String(request.body.messages.at(-1).content);
    const [first] = [...text.matchAll(/\[(\d+)[:,\]]/g)].map(([, number]) => Number(number));
    answerOk(request, response, JSON.stringify({ summary: 'It is about foxes.', key_points: [{ text: 'foxes', sections: [first] }] }));
  });
  await gateway.as('admin', 'POST', '/api/providers', {
    name: 'vendor',
    spec: { kind: 'openai-compatible', options: { base_url: vendor.url } },
  });
  await gateway.as('admin', 'POST', '/api/models', { name: 'small', spec: { deployments: [{ provider: 'vendor', model: 'm' }] } });
  await gateway.as('admin', 'POST', '/api/skills', { name: 'summary', spec: { kind: 'doc-summary', description: 'd', model: 'small' } });
});
afterAll(() => owned.disposeAsync());

const peakMb = (): number => Number(/VmHWM:\s+(\d+) kB/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1] ?? 0) / 1_024;

it('300 pages of PDF are summarised, with a step for each part', async () => {
  const line = 'The quick brown fox jumps over the lazy dog and does so again and again.\n';
  const pdf = makePdf(Array.from({ length: 300 }, (_, index) => `Page ${index + 1}\n${line.repeat(40)}`));
  const before = peakMb();
  const form = new FormData();
  form.set('input', '{"length":"short"}');
  form.set('stream', 'true');
  form.set('document', new File([new Uint8Array(pdf)], 'foxes.pdf', { type: 'application/pdf' }));
  const headers = { authorization: `Bearer ${await gateway.token('developer')}` };
  const answer = await fetch(`${gateway.url}/v1/skills/summary/runs`, { method: 'POST', body: form, headers });
  const text = await answer.text();
  const events = [...text.matchAll(/^event: (\w+)\ndata: (.*)$/gm)].map(([, name, data]) => ({ name, data: JSON.parse(data ?? '{}') }));
  const steps = events.filter(({ name }) => name === 'step').map(({ data }) => data.id as string);
  const parts = steps.filter((step) => step.startsWith('part read'));
  expect(parts.length).toBeGreaterThan(30);
  expect(parts.at(-1)).toBe(`part read ${parts.length}/${parts.length}`);
  const end = events.at(-1);
  expect(end?.name, text.slice(-500)).toBe('completed');
  expect(end?.data.output).toEqual({ summary: 'It is about foxes.', key_points: [{ text: 'foxes', sources: ['page 1'] }], sections: 300 });
  expect(end?.data.usage.input_tokens).toBe(5 * vendor.requests.length);
  const grown = peakMb() - before;
  expect(grown).toBeLessThan(250);
  const recorded = await eventually(
    async () => (await gateway.as('developer', 'GET', `/v1/runs/${end?.data.id}`)).json.tree,
    (tree) => tree != null && tree.calls.length >= parts.length,
  );
  expect(recorded.calls).toHaveLength(vendor.requests.length);
});

it('a Chinese PDF without an embedded font reaches the model with its characters and columns', async () => {
  const size = vendor.requests.length;
  const row = (y: number, ...cells: readonly (readonly [x: number, bytes: string])[]): string =>
    cells.map(([x, bytes]) => `BT /F1 12 Tf ${x} ${y} Td <${bytes}> Tj ET\n`).join('');
  const [goods, count, tea, paper] = ['bbf5ceef', 'cafdc1bf', 'b2e8d2b6', 'd6bdd5c5'];
  const content = row(700, [50, goods], [200, count]) + row(680, [50, tea], [200, '3132']) + row(660, [50, paper], [200, '3330']);
  const pdf = pdfOf([
    '<< /Type /Catalog /Pages 2 0 R >>',
    '<< /Type /Pages /Count 1 /Kids [3 0 R] >>',
    '<< /Type /Page /Parent 2 0 R /MediaBox [0 0 595 842] /Contents 4 0 R /Resources << /Font << /F1 5 0 R >> >> >>',
    ['', Buffer.from(content)],
    '<< /Type /Font /Subtype /Type0 /BaseFont /STSong-Light /Encoding /GBK-EUC-H /DescendantFonts [6 0 R] >>',
    '<< /Type /Font /Subtype /CIDFontType0 /BaseFont /STSong-Light /CIDSystemInfo << /Registry (Adobe) /Ordering (GB1) /Supplement 2 >> /FontDescriptor 7 0 R >>',
    '<< /Type /FontDescriptor /FontName /STSong-Light /Flags 4 /FontBBox [0 0 1000 1000] /ItalicAngle 0 /Ascent 800 /Descent -200 /CapHeight 700 /StemV 80 >>',
  ]);
  const form = new FormData();
  form.set('document', new File([new Uint8Array(pdf)], 'list.pdf', { type: 'application/pdf' }));
  const headers = { authorization: `Bearer ${await gateway.token('developer')}` };
  const answer = await fetch(`${gateway.url}/v1/skills/summary/runs`, { method: 'POST', body: form, headers });
  expect(answer.status, await answer.text()).toBe(200);
  const asked = JSON.stringify(vendor.requests.slice(size).map(({ body }) => body));
  expect(asked).toContain('货物 | 数量\\n茶叶 | 12\\n纸张 | 30');
});
