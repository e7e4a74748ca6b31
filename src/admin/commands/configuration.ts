/** pailou apply, diff, export, validate: configuration as code. */
import { parseArgs } from 'node:util';
import { Document } from 'yaml';
import { type CheckOptions, DocumentFault, type FileDocument, placedFault, readDocuments } from '../../config/document-files.ts';
import type { ConfigDocument } from '../../config/documents.ts';
import { referenceOf } from '../../config/references.ts';
import type { Response } from '../../outbound/long-timeout-fetch.ts';
import type { PluginServices } from '../../types/plugin.ts';
import { type Command, print, printError, UsageError, printJson, printNote } from './command.ts';
import { answerOf, gatewayCall, gatewayOptions, printFailure } from './gateway-call.ts';
import { fileFault } from './file-fault.ts';
import { createProgress } from './progress.ts';

interface Plan {
  readonly unchanged: number;
  readonly changes: readonly {
    readonly action: 'create' | 'update' | 'delete';
    readonly kind: string;
    readonly name: string;
    readonly differences: readonly { readonly path: string; readonly change: string; readonly before: unknown; readonly after: unknown }[];
    /** Absent for a row of one tenant alone. */
    readonly tenants?: readonly string[];
  }[];
}

const fileOptions = { file: { type: 'string', short: 'f', multiple: true } } as const;
const planOptions = {
  ...gatewayOptions,
  ...fileOptions,
  label: { type: 'string' },
  prune: { type: 'boolean', default: false },
  json: { type: 'boolean', default: false },
} as const;

function filesOf(files: readonly string[] | undefined): readonly string[] {
  if (files === undefined)
    throw new UsageError('Name the files: -f pailou.yaml (a folder means all its .yaml files; - is the standard input).');
  return files;
}

/** Reads the files; gives every fault to `tell`, one a line, and returns null. */
function read(
  files: readonly string[],
  env: NodeJS.ProcessEnv | null,
  check?: CheckOptions,
  tell: (faults: string) => void = (faults) => printError(faults, { code: 'file_invalid' }),
): FileDocument[] | null {
  try {
    const documents = readDocuments(files, env, check);
    if (documents.length > 0) return documents;
    // With --prune they would delete every row of the label.
    tell(`${files.join(', ')}: there is no document. Check the path, and the program that writes the files.`);
    return null;
  } catch (thrown) {
    const fault = thrown instanceof DocumentFault ? thrown.message : fileFault(thrown, files.join(', '));
    if (fault === null) throw thrown;
    tell(fault);
    return null;
  }
}

function labelOf(text: string | undefined): Record<string, string> | undefined {
  if (text === undefined) return undefined;
  const [key = '', value, rest] = text.split('=');
  if (key === '' || value === undefined || rest !== undefined) throw new UsageError('--label is name=value, e.g. --label app=team-a');
  return { [key]: value };
}

const counted = (count: number, noun: string): string => `${count} ${noun}${count === 1 ? '' : 's'}`;

const signs = { create: '+', update: '~', delete: '-' } as const;

function printPlan({ changes, unchanged }: Plan, verb: string): void {
  for (const { action, kind, name, differences, tenants } of changes) {
    print(`${signs[action]} ${kind} ${name}${action === 'update' && differences.length === 0 ? ' (a secret)' : ''}`);
    if (tenants !== undefined) print(`    also of other tenants: ${tenants.includes('*') ? 'all' : tenants.join(', ')}`);
    for (const { path, change, before, after } of differences)
      print(
        `    ${path}: ${change === 'added' ? '' : `${JSON.stringify(before)} `}→ ${change === 'removed' ? '(removed)' : JSON.stringify(after)}`,
      );
  }
  print(
    changes.length === 0
      ? `Nothing to do: ${counted(unchanged, 'document')} ${unchanged === 1 ? 'is as it' : 'are as they'} should be.`
      : `${verb}: ${counted(changes.length, 'change')}, ${unchanged} unchanged.`,
  );
}

async function failed(response: Response, documents: readonly FileDocument[]): Promise<number> {
  const text = await response.text();
  try {
    const { error, request_id } = JSON.parse(text) as {
      error: { code: string; message: string; param: string | null };
      request_id?: string;
    };
    printError(placedFault(documents, error.param, error.message), { code: error.code, param: error.param, request_id });
  } catch {
    printError(`The gateway answered with HTTP ${response.status}.`, { code: 'not_a_gateway' });
  }
  return 1;
}

/** Sends the documents. Resolves with the plan, or with the exit code after printing why there is none. */
async function send(args: readonly string[], dryRun: boolean): Promise<{ readonly plan: Plan; readonly json: boolean } | number> {
  const { values } = parseArgs({ args: [...args], options: planOptions });
  const labels = labelOf(values.label);
  if (values.prune && labels === undefined) throw new UsageError('--prune needs --label name=value: it deletes only rows with that label.');
  const call = gatewayCall(values);
  const documents = read(filesOf(values.file), process.env);
  if (documents === null) return 1;
  const body = {
    documents: documents.map(({ document }) => document),
    prune: values.prune,
    dry_run: dryRun,
    ...(labels === undefined ? {} : { labels }),
  };
  const progress = createProgress(dryRun ? 'Comparing' : 'Applying', 'documents');
  progress.show(documents.length, null);
  const response = await call.send('POST', '/api/config/apply', { type: 'application/json', bytes: JSON.stringify(body) });
  progress.end();
  if (response === null) return 1;
  if (response.status !== 200) return failed(response, documents);
  return { plan: await answerOf<Plan>(response), json: values.json };
}

export const applyCommand: Command = {
  async run(args) {
    const sent = await send(args, false);
    if (typeof sent === 'number') return sent;
    if (sent.json) printJson(sent.plan);
    else printPlan(sent.plan, 'Applied');
    return 0;
  },
};

export const diffCommand: Command = {
  async run(args) {
    const sent = await send(args, true);
    if (typeof sent === 'number') return sent;
    if (sent.json) printJson(sent.plan);
    else printPlan(sent.plan, 'Would change');
    return sent.plan.changes.length === 0 ? 0 : 2;
  },
};

export const exportCommand: Command = {
  async run(args) {
    const { values } = parseArgs({ args, options: { ...gatewayOptions, json: { type: 'boolean', default: false } } });
    const response = await gatewayCall(values).send('GET', '/api/config/export');
    if (response === null) return 1;
    if (response.status !== 200) return printFailure(response);
    const { documents, variables } = await answerOf<{ documents: ConfigDocument[]; variables: string[] }>(response);
    if (values.json) printJson(documents);
    else for (const document of documents) process.stdout.write(`---\n${new Document(document).toString({ lineWidth: 0 })}`);
    if (variables.length > 0) printNote(`Set these variables before you apply: ${variables.join(', ')}`);
    return 0;
  },
};

const isReference = (value: unknown): boolean => typeof value === 'string' && referenceOf(value) !== null;

/** Checks options against the plugins of this version and of PAILOU_PLUGINS_DIR. */
async function optionsCheck(): Promise<CheckOptions> {
  const [{ loadPlugins }, { builtInFolders }, { createLogger }, { pluginTypes }, { firstZodFault }, { didYouMean }] = await Promise.all([
    import('../../plugins/loader.ts'),
    import('../../plugins/built-in-folders.ts'),
    import('../../telemetry/log.ts'),
    import('../../config/reach.ts'),
    import('../../schema/zod-errors.ts'),
    import('../../text/did-you-mean.ts'),
  ]);
  const offline = (): never => {
    throw new Error('validate makes no connections');
  };
  const services: PluginServices = {
    logger: createLogger('error'),
    mode: 'production',
    stdioPrograms: [],
    stdioUser: null,
    checkUrl: (url) => new URL(url),
    fetch: offline,
    tokenExchange: { checkUrl: offline } as unknown as PluginServices['tokenExchange'],
  };
  const pluginsDir = process.env['PAILOU_PLUGINS_DIR'] ?? null;
  const registry = await loadPlugins({ folders: builtInFolders, pluginsDir, services, logger: services.logger });
  return (kind, spec) => {
    const type = pluginTypes[kind];
    if (type === undefined) return null;
    const plugin = registry.get(type, String(spec['kind']));
    if (plugin === undefined) {
      const near = didYouMean(
        String(spec['kind']),
        registry.list(type).map((each) => each.kind),
      );
      return { path: 'spec.kind', sentence: `spec.kind: there is no ${kind} of kind "${String(spec['kind'])}".${near}` };
    }
    const checked = plugin.options.safeParse(spec['options'] ?? {});
    if (checked.success) return null;
    const known = checked.error.issues.filter(
      ({ path }) =>
        !isReference(path.reduce<unknown>((value, key) => (value as Record<PropertyKey, unknown> | undefined)?.[key], spec['options'])),
    );
    if (known.length === 0) return null;
    const { param, sentence } = firstZodFault(known, ['spec', 'options']);
    return { path: param, sentence: `${param}: ${sentence}.` };
  };
}

const flag = { type: 'boolean', default: false } as const;

export const validateCommand: Command = {
  async run(args) {
    const { values } = parseArgs({ args, options: { ...fileOptions, schema: flag, json: flag } });
    if (values.schema) {
      const { documentSchema } = await import('../../config/documents.ts');
      printJson(documentSchema(), 2);
      return 0;
    }
    const faults: string[] = [];
    const documents = read(filesOf(values.file), null, await optionsCheck(), (text) => {
      faults.push(...text.split('\n'));
      if (!values.json) printError(text);
    });
    if (values.json) printJson({ valid: documents !== null, documents: documents?.length ?? 0, faults });
    if (documents === null) return 1;
    if (!values.json) print(`${counted(documents.length, 'document')} ${documents.length === 1 ? 'is' : 'are'} valid.`);
    return 0;
  },
};
