/** What a row refers to, as keys of the index of references: by it a change finds the rows that depend on it. */
import { splitPerson } from '../types/person.ts';
import type { ConfigRow, ResourceKind } from '../types/resources.ts';
import { serviceAccountIssuer } from '../types/service-account-spec.ts';
import { readGrantReference } from './grant-reference.ts';
import { isVersion, skillOf } from './skill-versions.ts';
import { isVirtual, selectedBy } from './virtual-servers.ts';

/** The key of rows that name this one. */
export const namedKey = (kind: ResourceKind, name: string): string => `${kind}/${name}`;
/** The key of grants that are bound to the row with this id, or unbound and of this capability. */
export const grantedKey = (target: string | null, capability: string): string =>
  target === null ? `granted ${capability}` : `target ${target}`;
/** The key of grants and limits on names or tags of a kind. */
export const patternKey = (kind: ResourceKind): string => `pattern ${kind}`;
/** The key of the published versions of a skill. */
export const versionsKey = (skill: string): string => `versions ${skill}`;

const listed = (value: unknown): readonly unknown[] => (Array.isArray(value) ? value : []);
const field = (value: unknown, name: string): string => String((value as Readonly<Record<string, unknown>> | null)?.[name]);

/** The things that a row names: servers of a virtual server, parts of a skill, fallbacks of a model. */
function namesIn(row: ConfigRow): readonly string[] {
  const { spec } = row;
  if (row.kind === 'model') return listed(spec['fallbacks']).map((each) => namedKey('model', field(each, 'model')));
  if (row.kind === 'mcp') return isVirtual(row) ? selectedBy(row).map((name) => namedKey('mcp', name)) : [];
  return [`model/${String(spec['model'])}`, ...listed(spec['tools']).map(String)].flatMap((each) => {
    const reference = readGrantReference(each);
    return reference?.type === 'thing' ? [namedKey(reference.kind, reference.name)] : [];
  });
}

/** Grants by which the row reaches its things, as its basis names them. */
function grantsIn({ basis }: ConfigRow): readonly string[] {
  return Object.values(basis ?? {}).flatMap((rule) => {
    const name = /^grant:(\S+)/.exec(rule)?.[1];
    return name === undefined ? [] : [namedKey('grant', name)];
  });
}

function patternsIn({ spec }: ConfigRow): readonly string[] {
  const reference = readGrantReference(String(spec['capability']));
  return reference === null || reference.type === 'thing' ? [] : [patternKey(reference.kind)];
}

/** The service account that a grant is to. */
function accountsIn({ spec }: ConfigRow): readonly string[] {
  if (spec['subject_type'] !== 'user') return [];
  const { issuer, subject } = splitPerson(String(spec['subject']));
  return issuer === serviceAccountIssuer ? [namedKey('service', subject)] : [];
}

/** Every key under which the index holds the row. The spec may be damaged. */
export function referencesOf(row: ConfigRow): ReadonlySet<string> {
  const { kind, name, spec } = row;
  switch (kind) {
    case 'model':
      return new Set([
        ...listed(spec['deployments']).map((each) => namedKey('provider', field(each, 'provider'))),
        ...namesIn(row),
        ...grantsIn(row),
      ]);
    case 'skill':
      return new Set([...namesIn(row), ...(isVersion(name) ? [versionsKey(skillOf(name))] : [])]);
    case 'mcp':
      return new Set(namesIn(row));
    case 'grant':
      return new Set([grantedKey(row.target ?? null, String(spec['capability'])), ...patternsIn(row), ...accountsIn(row)]);
    case 'limit':
      return new Set(patternsIn(row));
    case 'service':
      return new Set(typeof spec['team'] === 'string' ? [namedKey('team', spec['team'])] : []);
    case 'provider':
    case 'key':
    case 'team':
      return new Set();
    default:
      return kind satisfies never;
  }
}
