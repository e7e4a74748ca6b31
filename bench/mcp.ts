/** Benchmark of the MCP gate: its overhead for a tool call, and the time and size of a list of very many tools. */
import { readFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { Client, StreamableHTTPClientTransport } from '@modelcontextprotocol/client';
import type { BenchedGateway } from './gateway.ts';
import { type Candidate, median } from './measure.ts';
import { startServer } from './processes.ts';
import type { Row } from './report.ts';
import { toolLoopRow } from './tool-loop.ts';

const servers = 50;
const toolsOfEach = 40;
const calls = 400;
const lists = 40;
const listBudgetMs = 50;
const patienceMs = 60_000;

async function connect(url: string, token: string | null): Promise<Client> {
  const client = new Client({ name: 'bench', version: '1.0.0' }, { versionNegotiation: { mode: 'auto' } });
  const headers: Record<string, string> = token === null ? {} : { authorization: `Bearer ${token}` };
  await client.connect(new StreamableHTTPClientTransport(new URL(url), { requestInit: { headers } }));
  return client;
}

async function timed(work: () => Promise<unknown>): Promise<number> {
  const began = performance.now();
  await work();
  return performance.now() - began;
}

const residentMegabytes = (pid: number): number =>
  Number(/VmRSS:\s+(\d+) kB/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1]) / 1024;
const ms = (value: number): string => `${value.toFixed(2)} ms`;
const bypass = { cacheMode: 'bypass' } as const;

async function listedTools(client: Client): Promise<number> {
  return (await client.listTools(undefined, bypass)).tools.length;
}

/** Sends the same call alternately to the server and through the gate. The difference is the overhead of the gate. */
async function callRow(work: string, gateway: BenchedGateway, upstream: string): Promise<Row> {
  await gateway.admin('POST', '/mcp-servers', { name: 'tools', spec: { kind: 'http', options: { url: upstream, protocol: 'auto' } } });
  const [straight, gated] = await Promise.all([connect(upstream, null), connect(`${gateway.url}/mcp/tools`, gateway.token)]);
  for (const began = Date.now(); (await listedTools(gated)) < toolsOfEach; await sleep(100))
    if (Date.now() - began > patienceMs) throw new Error('The gate did not learn the tools.');
  const call = (client: Client) => client.callTool({ name: 'tool_1', arguments: { text: 'hello' } });
  for (let round = 0; round < 50; round++) await Promise.all([call(straight), call(gated)]);
  const direct: number[] = [];
  const own: number[] = [];
  for (let round = 0; round < calls; round++) {
    direct.push(await timed(() => call(straight)));
    own.push(await timed(() => call(gated)));
  }
  await Promise.all([straight.close(), gated.close()]);
  const slowest = (times: number[]): number => times.toSorted((one, other) => one - other)[Math.floor(times.length * 0.99)] ?? Number.NaN;
  return {
    work,
    bare: ms(median(direct)),
    pailou: ms(median(own)),
    ratio: null,
    budget: '',
    within: null,
    note: `added p50 ${ms(median(own) - median(direct))}, p99 ${ms(slowest(own) - slowest(direct))}; one call at a time, the first column straight to the server`,
  };
}

async function listRow(work: string, gateway: BenchedGateway, upstream: string): Promise<Row> {
  const before = residentMegabytes(gateway.pid);
  const spec = { kind: 'http', options: { url: upstream, protocol: 'auto' } };
  for (let index = 0; index < servers; index++) await gateway.admin('POST', '/mcp-servers', { name: `many-${index}`, spec });
  const client = await connect(`${gateway.url}/mcp`, gateway.token);
  for (const began = Date.now(); (await listedTools(client)) < servers * toolsOfEach; await sleep(200))
    if (Date.now() - began > patienceMs) throw new Error('The gate did not learn all tools.');
  const times: number[] = [];
  for (let round = 0; round < lists; round++) times.push(await timed(() => listedTools(client)));
  await client.close();
  return {
    work,
    bare: '',
    pailou: ms(median(times)),
    ratio: null,
    budget: `< ${listBudgetMs} ms`,
    within: median(times) < listBudgetMs,
    note: `warm, with the client's own parsing; resident memory ${before.toFixed(0)} MB before, ${residentMegabytes(gateway.pid).toFixed(0)} MB after`,
  };
}

export async function mcpRows(work: string, gateway: BenchedGateway, pailou: Candidate, loopCalls: number): Promise<Row[]> {
  const upstream = await startServer('mcp-upstream');
  try {
    return [
      await callRow(`${work}: one tool call`, gateway, `${upstream.url}/mcp`),
      await toolLoopRow(`${work}: a chat with one round of a tool, CPU`, pailou, loopCalls),
      await listRow(`${work}: list of ${servers} servers with ${toolsOfEach} tools each`, gateway, `${upstream.url}/mcp`),
    ];
  } finally {
    await upstream.stop();
  }
}
