/** Reads YAML files of configuration documents. Each fault names file, line, field and remedy. */
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import type * as Yaml from 'yaml';
import type { Document, LineCounter } from 'yaml';
import { firstZodFault, faultSentence } from '../schema/zod-errors.ts';
import { lineOfOtherEncoding } from '../text/utf8.ts';
import { documentPaths } from './document-paths.ts';
import { type ConfigDocument, documentFrame, kindOf } from './documents.ts';
import { referenceOf, resemblesReference, unescaped, unescapedOption } from './references.ts';
import { type ResourceKind, resourceNames, resourceSpecs } from '../types/resources.ts';

const require = createRequire(import.meta.url);

/** Lists every fault, one a line. */
export class DocumentFault extends Error {
  constructor(faults: readonly string[]) {
    super(faults.join('\n'));
    this.name = 'DocumentFault';
  }
}

export interface FileDocument {
  readonly document: ConfigDocument;
  /** `file:line` of a field of the document, or of its start. `path` is written as in errors: `spec.options.base_url`. */
  placeOf(path: string): string;
}

/** Checks the options of a plugin kind. Returns a fault with the path below `spec`, or null. */
export type CheckOptions = (
  kind: ResourceKind,
  spec: Readonly<Record<string, unknown>>,
) => { readonly path: string; readonly sentence: string } | null;

const longestFile = 20_000_000;

/** Text by `file:line` for a document. */
function locator(file: string, lines: LineCounter, yaml: Document.Parsed): FileDocument['placeOf'] {
  const start = yaml.range[0];
  return (path) => {
    const keys = path.match(/[^.[\]]+/g) ?? [];
    let offset = start;
    // The nearest node that is there: a missing field is reported at its parent.
    for (let length = keys.length; length > 0; length--) {
      const node = yaml.getIn(
        keys.slice(0, length).map((key) => (/^\d+$/.test(key) ? Number(key) : key)),
        true,
      );
      if (typeof node === 'object' && node !== null && 'range' in node && Array.isArray(node.range)) {
        offset = Number(node.range[0]);
        break;
      }
    }
    return `${file}:${lines.linePos(offset).line}`;
  };
}

interface Resolving {
  readonly env: NodeJS.ProcessEnv | null;
  readonly fault: (path: string, text: string) => void;
  readonly unescape: (text: string, path: string) => string;
}

/** Replaces references by what they name. `env` null: only escapes, for a check without secrets. */
function resolved(value: unknown, path: string, { env, fault, unescape }: Resolving): unknown {
  if (typeof value === 'string') {
    const reference = referenceOf(value);
    if (reference === null) return unescape(value, path);
    if (env === null) return value;
    const { source, name } = reference;
    if (source === 'env') {
      const found = env[name];
      if (found === undefined || found === '') fault(path, `the environment variable ${name} is not set; set it, or use \${file:/path}.`);
      return found ?? '';
    }
    try {
      return readFileSync(name, 'utf8').trim();
    } catch {
      fault(path, `the file ${name} cannot be read; check its path and its permissions.`);
      return '';
    }
  }
  if (Array.isArray(value)) return value.map((inner, index) => resolved(inner, `${path}[${index}]`, { env, fault, unescape }));
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(
    Object.entries(value).map(([key, inner]) => [key, resolved(inner, path === '' ? key : `${path}.${key}`, { env, fault, unescape })]),
  );
}

function readFile(file: string): string {
  const bytes = readFileSync(file === '-' ? 0 : file);
  if (bytes.length > longestFile) throw new DocumentFault([`${file}: is larger than ${longestFile} bytes; split it.`]);
  const line = lineOfOtherEncoding(bytes);
  if (line !== null) throw new DocumentFault([`${file}:${line}: is not UTF-8; save the file in this encoding.`]);
  return bytes.toString('utf8');
}

/** Names an option that only resembles a reference: it would be sent to the vendor as it is written. */
function checkReferences(value: unknown, path: string, fault: (path: string, text: string) => void): void {
  if (typeof value === 'string' && resemblesReference(value) && referenceOf(value) === null)
    fault(
      path,
      `${path}: a reference is the whole value, such as \${env:NAME}; put the text beside it into the variable, or write $\${env: for text.`,
    );
  if (typeof value !== 'object' || value === null) return;
  for (const [key, inner] of Object.entries(value))
    checkReferences(inner, Array.isArray(value) ? `${path}[${key}]` : `${path}.${key}`, fault);
}

/** A missing reference is not resolved for a check without secrets: `env` null leaves references as they are. */
export function readDocuments(
  paths: readonly string[],
  env: NodeJS.ProcessEnv | null,
  checkOptions: CheckOptions = () => null,
): FileDocument[] {
  // Loaded with the first files.
  const { LineCounter, parseAllDocuments, visit } = require('yaml') as typeof Yaml;
  const faults: string[] = [];
  const documents: FileDocument[] = [];
  const placeByRow = new Map<string, string>();
  for (const file of paths.flatMap(documentPaths)) {
    const lines = new LineCounter();
    const parsed = parseAllDocuments(readFile(file), { lineCounter: lines, uniqueKeys: true, prettyErrors: false, merge: true });
    for (const yaml of 'empty' in parsed ? [] : parsed) {
      const [broken] = yaml.errors;
      if (broken !== undefined) {
        faults.push(`${file}:${lines.linePos(broken.pos[0]).line}: is not valid YAML: ${broken.message}.`);
        continue;
      }
      const [odd] = yaml.warnings;
      if (odd !== undefined) {
        const remedy = odd.code === 'TAG_RESOLVE_FAILED' ? ' Write a secret as ${env:NAME}, and text in quotes.' : '';
        faults.push(`${file}:${lines.linePos(odd.pos[0]).line}: ${odd.message}.${remedy}`);
        continue;
      }
      const placeOf = locator(file, lines, yaml);
      const fault = (path: string, text: string): void => void faults.push(`${placeOf(path)}: ${text}`);
      let value: unknown;
      try {
        value = yaml.toJS({ maxAliasCount: 100 });
      } catch (thrown) {
        const text = `${thrown instanceof Error ? thrown.message : String(thrown)}.`;
        let offset = yaml.range[0];
        visit(yaml, {
          Alias(_key, node) {
            if (node.resolve(yaml) !== undefined) return undefined;
            offset = node.range?.[0] ?? offset;
            return visit.BREAK;
          },
        });
        faults.push(`${file}:${lines.linePos(offset).line}: ${text}`);
        continue;
      }
      // Between two `---`, or only comments.
      if (value === null) continue;
      const frame = documentFrame.safeParse(value);
      if (!frame.success) {
        const found = firstZodFault(frame.error.issues, []);
        fault(found.param, found.param === '' ? `A document ${found.sentence}.` : faultSentence(found));
        continue;
      }
      const kind = kindOf(frame.data);
      const name = resourceNames[kind].safeParse(frame.data.metadata.name);
      if (!name.success) fault('metadata.name', faultSentence(firstZodFault(name.error.issues, ['metadata', 'name'])));
      const row = [kind, frame.data.metadata.tenant, frame.data.metadata.name].join(' ');
      const first = placeByRow.get(row);
      if (first === undefined) placeByRow.set(row, placeOf(''));
      else fault('metadata.name', `${frame.data.kind} "${frame.data.metadata.name}" is at ${first} already. Keep one.`);
      const hasOptions = kind === 'provider' || kind === 'mcp';
      if (hasOptions) checkReferences(frame.data.spec['options'], 'spec.options', fault);
      const unescape = (text: string, path: string): string =>
        hasOptions && path.startsWith('spec.options') ? unescapedOption(text) : unescaped(text);
      const spec = resolved(frame.data.spec, 'spec', { env, fault, unescape }) as ConfigDocument['spec'];
      const checked = resourceSpecs[kind].safeParse(spec);
      if (!checked.success) {
        const found = firstZodFault(checked.error.issues, ['spec']);
        fault(found.param, faultSentence(found));
      } else {
        const wrong = checkOptions(kind, checked.data);
        if (wrong !== null) fault(wrong.path, wrong.sentence);
      }
      documents.push({ document: { ...frame.data, spec }, placeOf });
    }
  }
  if (faults.length > 0) throw new DocumentFault(faults);
  return documents;
}

/** The text of an error of the service, with the place of the document that its `param` names. */
export function placedFault(documents: readonly FileDocument[], param: string | null, message: string): string {
  const [, index, , path = ''] = /^documents\[(\d+)\](\.(.*))?$/.exec(param ?? '') ?? [];
  const at = index === undefined ? undefined : documents[Number(index)];
  if (at === undefined) return message;
  const sentence = message
    .replace(/^documents\[\d+\][^:]*: /, '')
    .replaceAll(/\bdocuments\[(\d+)\]/g, (other, number) => documents[Number(number)]?.placeOf('') ?? other);
  return `${at.placeOf(path)}: ${sentence}`;
}
