/** The files for operators: image, compose, chart, unit. They agree with the settings and the version of the code. */
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { readSettings } from '../src/config/settings.ts';
import { settingTable } from '../src/config/setting-table.ts';
import { version } from '../src/types/version.ts';

const root = join(import.meta.dirname, '..');
const read = (path: string): string => readFileSync(join(root, path), 'utf8');

const files = [
  'Dockerfile',
  'compose.yaml',
  'deploy/pailou.env.example',
  'deploy/systemd/pailou.service',
  'deploy/helm/pailou/values.yaml',
  'deploy/helm/pailou/templates/statefulset.yaml',
];
/** Variables of the compose file itself. */
const composeOnly = new Set(['PAILOU_IMAGE', 'PAILOU_PUBLISH']);

it.each(files)('%s names only settings that exist', (path) => {
  const named = read(path).match(/PAILOU_[A-Z_]+/g) ?? [];
  expect(named.length).toBeGreaterThan(0);
  expect(named.filter((name) => !Object.hasOwn(settingTable, name) && !composeOnly.has(name))).toEqual([]);
});

it('all name the version of the package', () => {
  const chart = parse(read('deploy/helm/pailou/Chart.yaml'));
  expect([chart.version, chart.appVersion]).toEqual([version, version]);
  expect(parse(read('compose.yaml')).services.pailou.image).toContain(`:${version}`);
});

it('the settings of the example are complete: a gateway accepts them in production mode', () => {
  const lines = read('deploy/pailou.env.example')
    .split('\n')
    .filter((line) => line.startsWith('PAILOU_'))
    .map((line) => line.split(/=(.*)/s) as [string, string]);
  const env = { ...Object.fromEntries(lines), PAILOU_MODE: 'production', PAILOU_MASTER_KEY: 'a'.repeat(64) };
  expect(readSettings(env)).toMatchObject({ mode: 'production' });
});

describe('the compose file', () => {
  const { services, volumes } = parse(read('compose.yaml'));
  const { environment } = services.pailou;
  /** What compose puts in for `${NAME:-default}` when nothing is set. */
  const byDefault = (text: string): string => text.replace(/\$\{[A-Z_]+:-([^}]*)\}/g, '$1');

  it('gives the program settings that it accepts', () => {
    const settings = Object.fromEntries(Object.entries<string>(environment).map(([name, value]) => [name, byDefault(value)]));
    const required = {
      PAILOU_MODE: 'production',
      PAILOU_MASTER_KEY: 'a'.repeat(64),
      PAILOU_OAUTH_ISSUER: 'https://login.company.cn',
      PAILOU_OAUTH_AUDIENCE: 'pailou',
    };
    expect(readSettings({ ...required, ...settings })).toMatchObject({
      databaseUrl: settings['PAILOU_DATABASE_URL'],
      redisUrl: settings['PAILOU_REDIS_URL'],
    });
  });

  it('connects the program with the services, users and databases that it starts', () => {
    const database = new URL(byDefault(environment.PAILOU_DATABASE_URL));
    const { POSTGRES_USER: user, POSTGRES_DB: name, POSTGRES_PASSWORD: password } = services[database.hostname].environment;
    expect([database.username, database.pathname, database.password]).toEqual([user, `/${name}`, byDefault(password)]);
    expect(Object.keys(services)).toContain(new URL(environment.PAILOU_REDIS_URL).hostname);
  });

  it('waits only for services with a health check, and mounts only volumes that it declares', () => {
    for (const name of Object.keys(services.pailou.depends_on)) expect(services[name], name).toHaveProperty('healthcheck.test');
    const mounted = Object.values<{ volumes?: string[] }>(services).flatMap((service) => service.volumes ?? []);
    expect(mounted.map((mount) => mount.split(':')[0] ?? '').toSorted()).toEqual(Object.keys(volumes).toSorted());
  });

  it('publishes the port and keeps the folder of the image', () => {
    const image = Object.fromEntries([...read('Dockerfile').matchAll(/(PAILOU_[A-Z_]+)=(\S+)/g)].map(([, name, value]) => [name, value]));
    expect(services.pailou.ports.map((port: string) => port.split(':').at(-1))).toEqual([image['PAILOU_PORT']]);
    expect(services.pailou.volumes).toEqual([`pailou-data:${image['PAILOU_DATA_DIR']}`]);
    expect(services.pailou.env_file).toBe('pailou.env');
    expect(read('compose.yaml')).toContain('Copy deploy/pailou.env.example to pailou.env');
  });
});

it('probes ask for addresses, and units start commands, that the program has', () => {
  const routes = read('src/api/routes/operation.ts');
  const probes = ['Dockerfile', 'deploy/helm/pailou/templates/statefulset.yaml'].flatMap(
    (path) => read(path).match(/\/(?:livez|readyz|healthz)\b/g) ?? [],
  );
  expect(new Set(probes)).toEqual(new Set(['/livez', '/readyz']));
  for (const path of probes) expect(routes).toContain(`'${path}'`);
  expect(read('Dockerfile')).toMatch(/ENTRYPOINT \["node", "bin\/pailou\.js"\]\nCMD \["start"\]/);
  expect(read('deploy/systemd/pailou.service')).toMatch(/^ExecStart=.*bin\/pailou\.js start$/m);
  expect(read('src/cli.ts')).toContain("process.argv[2] === 'start'");
});

describe('every way of running', () => {
  it('gives a stopping node time for the drain and the grace', () => {
    const { drainSeconds, graceSeconds } = readSettings({
      PAILOU_MODE: 'production',
      PAILOU_MASTER_KEY: 'a'.repeat(64),
      PAILOU_OAUTH_ISSUER: 'https://login.company.cn',
      PAILOU_OAUTH_AUDIENCE: 'pailou',
    });
    const needed = drainSeconds + graceSeconds + 2;
    expect(Number.parseInt(parse(read('compose.yaml')).services.pailou.stop_grace_period, 10)).toBeGreaterThan(needed);
    expect(Number(/TimeoutStopSec=(\d+)/.exec(read('deploy/systemd/pailou.service'))?.[1])).toBeGreaterThan(needed);
    expect(read('deploy/helm/pailou/templates/statefulset.yaml')).toContain(
      'terminationGracePeriodSeconds: {{ add .Values.drainSeconds .Values.graceSeconds 15 }}',
    );
  });
});

describe('the Dockerfile', () => {
  const lines = read('Dockerfile').split('\n');
  const ignored = read('.dockerignore').split('\n');

  it('copies only what is there and what .dockerignore lets in', () => {
    const sources = lines
      .filter((line) => line.startsWith('COPY ') && !line.includes('--from='))
      .flatMap((line) => line.split(' ').slice(1, -1));
    expect(sources.length).toBeGreaterThan(5);
    expect(sources.filter((path) => !existsSync(join(root, path)))).toEqual([]);
    expect(sources.filter((path) => !ignored.includes(`!${path}`))).toEqual([]);
  });

  it('runs as a user that is not root', () => {
    expect(lines.filter((line) => line.startsWith('USER '))).toEqual(['USER node']);
    expect(lines.indexOf('USER node')).toBeLessThan(lines.findIndex((line) => line.startsWith('ENTRYPOINT')));
  });
});
