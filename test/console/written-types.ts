/** Compares the interfaces that the console writes down for answers with real answers. TypeScript's own compiler has no stable API. */
import { readFileSync } from 'node:fs';
import { listFiles } from '../architecture/source-tree.ts';

interface Field {
  readonly name: string;
  readonly optional: boolean;
  readonly type: string;
}

interface Written {
  readonly extends: string | null;
  readonly fields: readonly Field[];
}

/** The interfaces of one file, by name. */
export function readInterfaces(source: string): ReadonlyMap<string, Written> {
  const text = source.replaceAll(/\/\*[^]*?\*\//g, '').replaceAll(/\/\/.*$/gm, '');
  const found = new Map<string, Written>();
  for (const [, name = '', base, body = ''] of text.matchAll(/interface (\w+)(?:<[^>]*>)?(?: extends (\w+)[^{]*)? \{\n([^]*?)\n\}/g)) {
    // Nested objects are one type, so that each field is one line.
    const flat = body.replaceAll(/\{\n([^]*?)\n {2}\}/g, (_all, inner: string) => `{ ${inner.replaceAll(/\s+/g, ' ')} }`);
    const fields = [...flat.matchAll(/^ {2}(?:readonly )?['"]?([\w-]+)['"]?(\?)?: ([^\n]+);$/gm)].map(
      ([, field = '', mark, type = '']) => ({
        name: field,
        optional: mark === '?',
        type,
      }),
    );
    found.set(name, { extends: base ?? null, fields });
  }
  return found;
}

/** The interfaces of all files that `file` may name: its own first. */
export function interfacesSeenBy(file: string): ReadonlyMap<string, Written> {
  const all = new Map<string, Written>();
  for (const path of [...listFiles('console/src/api'), file].filter((each) => /\.tsx?$/.test(each)))
    for (const [name, written] of readInterfaces(readFileSync(path, 'utf8'))) all.set(name, written);
  return all;
}

/** The parts of a union, without those inside of brackets. */
function unionOf(type: string): readonly string[] {
  const parts: string[] = [];
  let depth = 0;
  let start = 0;
  for (let index = 0; index < type.length; index++) {
    const character = type.charAt(index);
    if ('<({['.includes(character)) depth++;
    if ('>)}]'.includes(character)) depth--;
    if (character === '|' && depth === 0) {
      parts.push(type.slice(start, index).trim());
      start = index + 1;
    }
  }
  return [...parts, type.slice(start).trim()].filter((part) => part !== '');
}

/** What of `value` is not as `type` says, by path. Types that are no interface and no primitive are not looked into. */
export function misfits(value: unknown, type: string, seen: ReadonlyMap<string, Written>, path = ''): readonly string[] {
  const parts = unionOf(type);
  const wrong = [`${path}: ${JSON.stringify(value)?.slice(0, 60)} is not ${type}`];
  if (value === null) return parts.includes('null') || parts.includes('unknown') ? [] : wrong;
  const [part = '', ...others] = parts.filter((each) => each !== 'null');
  if (part.startsWith("'")) return typeof value === 'string' && [part, ...others].includes(`'${value}'`) ? [] : wrong;
  if (part === 'string' || part === 'number' || part === 'boolean') return [part, ...others].includes(typeof value) ? [] : wrong;
  const item = /^readonly (.+)\[\]$/.exec(part)?.[1];
  if (item !== undefined)
    return Array.isArray(value) ? value.flatMap((each) => misfits(each, item.replace(/^\((.+)\)$/, '$1'), seen, `${path}[]`)) : wrong;
  const written = seen.get(part.replace(/<.*$/, ''));
  if (written === undefined) return [];
  if (typeof value !== 'object' || Array.isArray(value)) return wrong;
  const record = value as Readonly<Record<string, unknown>>;
  return [
    ...(written.extends === null ? [] : misfits(value, written.extends, seen, path)),
    ...written.fields.flatMap(({ name, optional, type: inner }) => {
      if (record[name] !== undefined) return misfits(record[name], inner, seen, `${path}.${name}`);
      return optional ? [] : [`${path}.${name}: is missing`];
    }),
  ];
}
