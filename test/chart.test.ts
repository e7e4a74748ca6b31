/** The Helm chart: which values it takes, and what it renders where Helm is at hand. */
import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Ajv } from 'ajv';
import { describe, expect, it } from 'vitest';
import { parse, parseAllDocuments } from 'yaml';

const chart = join(import.meta.dirname, '../deploy/helm/pailou');
const read = (path: string): string => readFileSync(join(chart, path), 'utf8');
const defaults = parse(read('values.yaml'));
const { $schema: _, ...schema } = JSON.parse(read('values.schema.json'));
const accepts = new Ajv({ strict: false }).compile(schema);

describe('the schema of the values', () => {
  it('accepts the values of the chart, and knows each of them', () => {
    expect(accepts(defaults)).toBe(true);
    const known = Object.keys(schema.properties).filter((name) => name !== 'global');
    expect(known.toSorted()).toEqual(Object.keys(defaults).toSorted());
  });

  it.each([
    ['a mistyped name', { replica: 3 }],
    ['a setting that has a value of its own', { settings: { PAILOU_DRAIN_SECONDS: 5 } }],
    ['a setting that the probes rely on', { settings: { PAILOU_PORT: 9000 } }],
    ['a document that the gateway would not read', { config: { documents: { 'models.txt': 'kind: Model' } } }],
    ['a port that is none', { service: { port: 'http' } }],
  ])('refuses %s', (_name, values) => {
    expect(accepts({ ...defaults, ...values })).toBe(false);
  });
});

const helm = process.env['PAILOU_TEST_HELM'] ?? 'helm';

const hasHelm = spawnSync(helm, ['version']).status === 0;

// Not skipped but absent without Helm, which neither npm nor Debian has.
(hasHelm ? describe : (_name: string, _body: () => void) => {})('rendered by Helm', () => {
  const render = (release: string, values: object) => {
    const args = ['template', release, chart, '--kube-version', '1.31.0', '--api-versions', 'monitoring.coreos.com/v1', '--values', '-'];
    const { stdout, stderr } = spawnSync(helm, args, { input: JSON.stringify(values), encoding: 'utf8' });
    return { rows: parseAllDocuments(stdout).flatMap((document) => document.toJS() ?? []), fault: stderr };
  };
  const existingSecret = 'keys';

  it('mounts documents as the folder of PAILOU_CONFIG, and restarts nodes when they change', () => {
    const nodesWith = (text: string) => {
      const { rows } = render('p', { existingSecret, podAnnotations: { scrape: true }, config: { documents: { 'a.yaml': text } } });
      const map = rows.find((row) => row.kind === 'ConfigMap');
      const { template } = rows.find((row) => row.kind === 'StatefulSet').spec;
      expect(map.data).toEqual({ 'a.yaml': text });
      expect(template.spec.volumes).toContainEqual({ name: 'config', configMap: { name: map.metadata.name } });
      expect(template.spec.containers[0].env).toContainEqual({ name: 'PAILOU_CONFIG', value: '/config' });
      expect(template.spec.containers[0].volumeMounts).toContainEqual({ name: 'config', mountPath: '/config', readOnly: true });
      expect(template.metadata.annotations).toMatchObject({ scrape: 'true' });
      return template.metadata.annotations;
    };
    expect(nodesWith('kind: Model')).not.toEqual(nodesWith('kind: Grant'));
  });

  it('mounts a ConfigMap by its name', () => {
    const { rows } = render('p', { existingSecret, config: { existingConfigMap: 'ours' } });
    expect(rows.filter((row) => row.kind === 'ConfigMap')).toEqual([]);
    const { volumes } = rows.find((row) => row.kind === 'StatefulSet').spec.template.spec;
    expect(volumes).toContainEqual({ name: 'config', configMap: { name: 'ours' } });
  });

  it.each([
    ['existingSecret: name a Secret', {}],
    ['not both', { existingSecret, config: { documents: { 'a.yaml': 'kind: Model' }, existingConfigMap: 'ours' } }],
    ['minReplicas is greater', { existingSecret, autoscaling: { enabled: true, minReplicas: 5, maxReplicas: 2 } }],
    ['SQLite is for one replica', { existingSecret, settings: { PAILOU_DATABASE_URL: 'sqlite:/data/a.db' } }],
  ])('says "%s" and renders nothing', (sentence, values) => {
    const { rows, fault } = render('p', values);
    expect(rows).toEqual([]);
    expect(fault).toContain(sentence);
  });

  it('keeps every name within 63 characters, and scrapes one service', () => {
    const { rows } = render('a-release-with-a-name-of-the-most-characters-it-may-h', { existingSecret, serviceMonitor: { enabled: true } });
    for (const { metadata } of rows) expect(metadata.name.length).toBeLessThanOrEqual(63);
    expect(rows.find((row) => row.kind === 'StatefulSet').metadata.name.length).toBeLessThanOrEqual(52);
    const wanted = Object.entries(rows.find((row) => row.kind === 'ServiceMonitor').spec.selector.matchLabels);
    const services = rows.filter((row) => row.kind === 'Service');
    expect(services.filter(({ metadata }) => wanted.every(([name, value]) => metadata.labels[name] === value))).toHaveLength(1);
  });
});
