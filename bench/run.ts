/**
 * `npm run bench`: loads a mock upstream, a bare proxy and Pailou in turn, and prints one table of Pailou's overhead. Options: --quick
 * (short windows), --only <part of a row's name>, --json (the rows as JSON too). --against <URL> adds another gateway, with
 * --against-token and --against-model.
 */
import { existsSync } from 'node:fs';
import { availableParallelism, loadavg } from 'node:os';
import { parseArgs } from 'node:util';
import { decisionRows } from './decision.ts';
import { type BenchedGateway, productionSettings, startGateway } from './gateway.ts';
import { fillDataDir, manyGrants, manyModels } from './many-rows.ts';
import { mcpRows } from './mcp.ts';
import { afterIdlenessRow, changesRow, firstCallsRow, idleMemoryRow, paceRows } from './moments.ts';
import { peerRow } from './peer.ts';
import { streamsPerCoreRow } from './streams.ts';
import { coldTokensRow } from './tokens.ts';
import { workersRows } from './workers.ts';
import { type Candidate, measure, median, memoryPerStream } from './measure.ts';
import { startServer } from './processes.ts';
import { type Row, scenarioRow, table } from './report.ts';
import { chat, holdBody, models, scenarios } from './scenarios.ts';

const { values: options } = parseArgs({
  options: {
    quick: { type: 'boolean', default: false },
    json: { type: 'boolean', default: false },
    only: { type: 'string', default: '' },
    against: { type: 'string' },
    'against-token': { type: 'string' },
    'against-model': { type: 'string', default: 'bench-chat' },
  },
});
if (!existsSync('/proc/self/stat')) {
  console.error('The benchmark reads CPU time from /proc, so it needs Linux.');
  process.exit(2);
}
const plan = options.quick ? { windows: 3, seconds: 1, warmCalls: 1_000 } : { windows: 7, seconds: 3, warmCalls: 20_000 };
const streams = options.quick ? { few: 200, many: 800 } : { few: 500, many: 2500 };
const budgets = { startMs: 2000, startCpuMs: 1000, changeMs: 1000, streamKilobytes: 40 };

const [busyBefore = 0] = loadavg();

await using owned = new AsyncDisposableStack();
const upstream = await startServer('mock-upstream');
owned.defer(() => upstream.stop());
const proxy = await startServer('bare-proxy', upstream.url);
owned.defer(() => proxy.stop());
const bare: Candidate = { name: 'bare proxy', url: proxy.url, pid: proxy.pid, tokens: [] };
const direct = { url: upstream.url, tokens: [] };
const rows: Row[] = [];

/** Runs `work` if its row was selected. */
async function section(name: string, work: (name: string) => Promise<readonly Row[]>): Promise<void> {
  if (!name.includes(options.only)) return;
  console.error(`${name} …`);
  rows.push(...(await work(name)));
}

async function withGateway(
  fill: ((dataDir: string) => Promise<void>) | undefined,
  work: (gateway: BenchedGateway, pailou: Candidate) => Promise<void>,
): Promise<void> {
  const gateway = await startGateway(upstream.url, models, fill);
  try {
    await work(gateway, { name: 'Pailou', url: gateway.url, pid: gateway.pid, tokens: gateway.tokens, speaksFaces: true });
  } finally {
    await gateway.stop();
  }
}

await section('token check + decision', (work) => decisionRows(work, plan.windows));

await withGateway(undefined, async (gateway, pailou) => {
  for (const scenario of scenarios) {
    await section(scenario.name, async () => [scenarioRow(scenario, await measure(scenario, [bare, pailou], direct, plan), bare, pailou)]);
  }
  await section('start to ready, embedded database', async (work) => [
    {
      work,
      bare: '',
      pailou: `${gateway.readyMs.toFixed(0)} ms`,
      ratio: null,
      budget: `< ${budgets.startMs} ms`,
      within: gateway.readyMs < budgets.startMs,
      note: `first start with migrations and demo; the next start ${gateway.againMs.toFixed(0)} ms`,
    },
    {
      work: 'start to ready, CPU of the next start',
      bare: '',
      pailou: `${gateway.readyCpuMs.toFixed(0)} ms`,
      ratio: null,
      budget: `<= ${budgets.startCpuMs} ms`,
      within: gateway.readyCpuMs <= budgets.startCpuMs,
      note: 'all threads, with the code that the first start compiled',
    },
  ]);
});

await withGateway(undefined, async (gateway, pailou) => {
  await section('memory of an idle gateway', async (work) => [await idleMemoryRow(work, pailou)]);
  await section('first 1,000 calls after a start, CPU per call', async (work) => [await firstCallsRow(work, pailou, plan.warmCalls)]);
  await section('at a fixed rate', (work) => paceRows(work, [bare, pailou], options.quick ? 2 : 10));
  await section('after 10 s of idleness', async (work) => [await afterIdlenessRow(work, [bare, pailou])]);
  await section('a call with a new token, CPU', async (work) => [await coldTokensRow(work, gateway, pailou, options.quick ? 300 : 2_000)]);
  await section('streams of 30 tokens a second on one core', async (work) => [await streamsPerCoreRow(work, bare, pailou, options.quick)]);
  await section('chat with two workers', (work) => workersRows(work, upstream.url, pailou, plan));
  const { against } = options;
  if (against !== undefined)
    await section('chat, beside a peer', async (work) => [
      await peerRow(work, { url: against, token: options['against-token'] ?? null, model: options['against-model'] }, pailou, plan),
    ]);
});

await section('MCP', async (work) => {
  const found: Row[] = [];
  await withGateway(
    undefined,
    async (gateway, pailou) => void found.push(...(await mcpRows(work, gateway, pailou, options.quick ? 300 : 3_000))),
  );
  return found;
});

// In separate processes: a heap that a load has grown would hide the memory of a stream.
await section('memory of an open idle stream', async (work) => {
  const fresh = await startServer('bare-proxy', upstream.url);
  owned.defer(() => fresh.stop());
  const other = await memoryPerStream({ ...bare, url: fresh.url, pid: fresh.pid }, holdBody, streams);
  let own = Number.NaN;
  await withGateway(undefined, async (_gateway, pailou) => {
    own = await memoryPerStream(pailou, holdBody, streams);
  });
  return [
    {
      work,
      bare: `${other.toFixed(1)} kB`,
      pailou: `${own.toFixed(1)} kB`,
      ratio: own / other,
      budget: `<= ${budgets.streamKilobytes} kB`,
      within: own <= budgets.streamKilobytes,
      note: `resident memory, slope from ${streams.few} to ${streams.many} streams`,
    },
  ];
});

await section(`${manyModels.toLocaleString('en')} models, ${manyGrants.toLocaleString('en')} grants`, async (large) => {
  const found: Row[] = [];
  await withGateway(fillDataDir, async (gateway, pailou) => {
    const scenario = { ...chat, name: `chat; ${large}` };
    found.push(scenarioRow(scenario, await measure(scenario, [bare, pailou], direct, plan), bare, pailou));
    found.push(await changesRow('chats at one change a second, p99; the same', gateway, pailou, options.quick ? 4 : 20));
    const changes: number[] = [];
    for (let index = 0; index < 7; index++) changes.push(await gateway.change());
    found.push({
      work: 'a change is live; the same',
      bare: '',
      pailou: `${median(changes).toFixed(0)} ms`,
      ratio: null,
      budget: `< ${budgets.changeMs} ms`,
      within: Math.max(...changes) < budgets.changeMs,
      note: `slowest ${Math.max(...changes).toFixed(0)} ms; start to ready ${gateway.againMs.toFixed(0)} ms`,
    });
  });
  return found;
});

console.log(
  `\nNode ${process.version}, ${availableParallelism()} cores; ${plan.windows} interleaved windows of ${plan.seconds} s each after ${plan.warmCalls.toLocaleString('en')} calls; twenty tokens; ratio: median over the windows. Settings: ${Object.entries(
    productionSettings,
  )
    .map(([name, value]) => `${name}=${value}`)
    .join(' ')}; all else as it is unless set.\n`,
);
if (busyBefore > 0.5)
  console.log(
    `The machine was busy before the run began (load ${busyBefore.toFixed(1)}): only the ratios mean something, and they are noisy.\n`,
  );
console.log(table(rows));
if (options.json) console.log(JSON.stringify(rows));
