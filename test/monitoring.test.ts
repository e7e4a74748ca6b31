/** The alert rules and the dashboard: they name metrics that exist, and a real Prometheus answers each query about a working gateway. */
import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { grafanaDashboard } from '../scripts/grafana-dashboard.ts';
import { projectRoot } from './architecture/source-tree.ts';
import { eventually, freePort, startGateway, type TestGateway } from './whole/gateway.ts';
import { startVendor, type Vendor } from './whole/vendor.ts';

const rulesFile = join(projectRoot, 'deploy/prometheus/alerts.yaml');
const hasPrometheus = spawnSync('prometheus', ['--version']).status === 0;

interface Rule {
  readonly alert: string;
  readonly expr: string;
  readonly labels: { readonly severity: string };
  readonly annotations: { readonly summary: string; readonly description: string };
}
const rules: readonly Rule[] = parse(readFileSync(rulesFile, 'utf8')).groups.flatMap((group: { rules: Rule[] }) => group.rules);
const dashboard = JSON.parse(readFileSync(join(projectRoot, 'deploy/grafana/pailou.json'), 'utf8'));
const queries: string[] = dashboard.panels.flatMap((panel: { targets?: { expr: string }[] }) =>
  (panel.targets ?? []).map(({ expr }) => expr),
);
/** As Grafana does it, with everything selected. */
const filledIn = (query: string): string => query.replaceAll('$__rate_interval', '1m').replaceAll(/\$(job|instance)/g, '.*');

let gateway: TestGateway;
let vendor: Vendor;

beforeAll(async () => {
  gateway = await startGateway();
  vendor = await startVendor();
  await gateway.as('admin', 'POST', '/api/providers', {
    name: 'v',
    spec: { kind: 'openai-compatible', options: { base_url: vendor.url, api_key: 'k' } },
  });
  const price = { currency: 'USD', input: '1', output: '2' };
  const spec = {
    deployments: [{ provider: 'v', model: 'up', price }],
    cache: { ttl_seconds: 60 },
    circuit: { failures: 1 },
    retry: { same: 0 },
  };
  const made = await gateway.as('admin', 'POST', '/api/models', { name: 'm', spec });
  expect(made.status, made.text).toBe(201);
  await callInEveryWay();
});
afterAll(async () => {
  await gateway[Symbol.asyncDispose]();
  await vendor[Symbol.asyncDispose]();
});

async function callInEveryWay(): Promise<void> {
  const body = { model: 'm', messages: [{ role: 'user', content: 'Hi' }], temperature: 0 };
  await gateway.as('admin', 'POST', '/v1/chat/completions', body);
  await gateway.as('admin', 'POST', '/v1/chat/completions', { ...body, stream: true });
  await gateway.as(null, 'POST', '/v1/chat/completions', body);
  vendor.behave((_request, response) => void response.writeHead(500, { 'content-type': 'application/json' }).end('{}'));
  await gateway.as('admin', 'POST', '/v1/chat/completions', { ...body, temperature: 1 });
}

describe('the dashboard and the rules', () => {
  it('are written from the table of panels', () => {
    expect(JSON.stringify(dashboard), 'run `npm run docs`').toBe(JSON.stringify(JSON.parse(grafanaDashboard())));
  });

  it('name only metrics that the gateway has', async () => {
    const { text } = await gateway.as('admin', 'GET', '/metrics');
    const known = new Set(
      [...text.matchAll(/^# TYPE (\S+) (\S+)/gm)].flatMap(([, name, type]) => (type === 'histogram' ? [`${name}_bucket`] : [name])),
    );
    const named = [...queries, ...rules.map(({ expr }) => expr)].flatMap((query) => query.match(/\bpailou_[a-z0-9_]+/g) ?? []);
    expect(named.length).toBeGreaterThan(20);
    expect(named.filter((name) => !known.has(name))).toEqual([]);
  });

  it('say of each alert how severe it is and what to look at', () => {
    for (const { alert, labels, annotations } of rules) {
      expect(['critical', 'warning', 'info'], alert).toContain(labels.severity);
      expect(annotations.summary, alert).not.toBe('');
      expect(annotations.description.length, alert).toBeGreaterThan(20);
    }
  });

  it('place no panel over another', () => {
    const taken = new Set<string>();
    for (const { gridPos, title } of dashboard.panels) {
      for (let x = gridPos.x; x < gridPos.x + gridPos.w; x++) {
        for (let y = gridPos.y; y < gridPos.y + gridPos.h; y++) {
          expect(taken.has(`${x},${y}`), title).toBe(false);
          taken.add(`${x},${y}`);
        }
      }
    }
  });
});

describe.skipIf(!hasPrometheus)('Prometheus', () => {
  let folder: string;
  let program: ChildProcess;
  let address: string;
  let output = '';

  const ask = async (path: string, query?: string): Promise<{ status: string; data: never }> => {
    const answer = await fetch(`${address}${path}${query === undefined ? '' : `?query=${encodeURIComponent(query)}`}`);
    return (await answer.json()) as { status: string; data: never };
  };
  const resultOf = async (query: string): Promise<readonly unknown[]> => {
    const { status, data } = await ask('/api/v1/query', query);
    expect(status, query).toBe('success');
    return (data as { result: unknown[] }).result;
  };

  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), 'pailou-prometheus-'));
    cpSync(rulesFile, join(folder, 'alerts.yaml'));
    writeFileSync(join(folder, 'token'), await gateway.token('admin'));
    const targets = [new URL(gateway.url).host];
    const config = {
      global: { scrape_interval: '1s', evaluation_interval: '1s' },
      rule_files: ['alerts.yaml'],
      scrape_configs: [{ job_name: 'pailou', authorization: { credentials_file: 'token' }, static_configs: [{ targets }] }],
    };
    writeFileSync(join(folder, 'prometheus.yml'), JSON.stringify(config));
    const port = await freePort();
    address = `http://127.0.0.1:${port}`;
    const options = ['config.file=prometheus.yml', `storage.tsdb.path=${join(folder, 'data')}`, `web.listen-address=127.0.0.1:${port}`];
    program = spawn(
      'prometheus',
      options.map((each) => `--${each}`),
      { cwd: folder, stdio: ['ignore', 'pipe', 'pipe'] },
    );
    const keep = (part: Buffer): void => {
      output += part.toString();
    };
    program.stdout?.on('data', keep);
    program.stderr?.on('data', keep);
    await eventually(
      async () =>
        program.exitCode === null
          ? fetch(`${address}/-/ready`).then(
              ({ status }) => status,
              () => 0,
            )
          : -1,
      (status) => status !== 0 && status !== 503,
    );
    expect(program.exitCode, output).toBeNull();
    // Rates need two scrapes.
    await eventually(
      () => resultOf('count_over_time(pailou_config_revision[1m]) > 2'),
      (result) => result.length > 0,
    );
  });
  afterAll(async () => {
    if (program.exitCode === null) {
      const ended = once(program, 'exit');
      program.kill('SIGKILL');
      await ended;
    }
    rmSync(folder, { recursive: true, force: true });
  });

  it('answers each query of the dashboard', async () => {
    const empty: string[] = [];
    for (const query of queries) if ((await resultOf(filledIn(query))).length === 0) empty.push(query);
    // No limit was reached and nothing was probed.
    expect(empty.filter((query) => !/pailou_(probes|limit_refusals|budget_alerts)_total/.test(query))).toEqual([]);
  });

  it('evaluates each rule', async () => {
    type Evaluated = { name: string; health: string; lastError?: string; state: string };
    const evaluated = await eventually(
      async () => ((await ask('/api/v1/rules')).data as { groups: { rules: Evaluated[] }[] }).groups.flatMap((group) => group.rules),
      (found) => found.length === rules.length && found.every(({ health }) => health !== 'unknown'),
    );
    expect(evaluated.map(({ name, health, lastError }) => ({ name, health, lastError }))).toEqual(
      rules.map(({ alert }) => ({ name: alert, health: 'ok', lastError: undefined })),
    );
  });

  it.each(['PailouCircuitOpen', 'PailouCallsFail'])('evaluates %s to an alert when calls fail', async (name) => {
    const { expr } = rules.find(({ alert }) => alert === name)!;
    const failAndAsk = async (): Promise<readonly unknown[]> => {
      await gateway.as('admin', 'POST', '/v1/chat/completions', {
        model: 'm',
        messages: [{ role: 'user', content: 'Hi' }],
        temperature: 1,
      });
      return resultOf(expr);
    };
    expect(await eventually(failAndAsk, (result) => result.length > 0)).toHaveLength(1);
  });
});
