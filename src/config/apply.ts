/** Makes rows as documents describe them: creates, replaces and deletes in one change, and leaves alone what is so already. */
import { isSealed, rowContext, type SecretBox } from '../storage/secret-box.ts';
import { canonicalJson } from '../schema/canonical-json.ts';
import type { ConfigChange } from '../types/config-store.ts';
import { GatewayError } from '../types/errors.ts';
import type { ConfigRow, ResourceKind } from '../types/resources.ts';
import type { Writer } from '../types/writes.ts';
import { authorizeChange, authorizeRow, type WriteScene } from './authorize-write.ts';
import { requireUnlocked } from './file-owned.ts';
import { type Mutation, planChange } from './mutations.ts';
import { isVersion } from './skill-versions.ts';
import type { PersonNames } from './person-names.ts';

/** A row as it should be. `index` is the place of its document. */
export type WantedRow = Pick<Mutation, 'kind' | 'tenant' | 'name' | 'spec' | 'enabled' | 'labels' | 'owner'> & { readonly index: number };

/** References point from later kinds to earlier ones. */
const order: readonly ResourceKind[] = ['provider', 'model', 'mcp', 'skill', 'team', 'service', 'grant', 'limit'];
const rank = (kind: ResourceKind): number => order.indexOf(kind);

/** Versions of a skill come before the skill that names one as live. */
function inOrder<T extends { readonly kind: ResourceKind; readonly name: string }>(rows: readonly T[]): T[] {
  const version = ({ name }: T): number => (name.includes('@') ? 0 : 1);
  return rows.toSorted((a, b) => rank(a.kind) - rank(b.kind) || version(a) - version(b));
}

function opened(value: unknown, secrets: SecretBox, context: string): unknown {
  if (isSealed(value)) return secrets.open(value, context);
  if (Array.isArray(value)) return value.map((inner) => opened(inner, secrets, context));
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, opened(inner, secrets, context)]));
}

/** True when both say the same beside their labels, and are bound to the same row. Secrets are compared as they are, not as they are sealed. */
function hasSameContent(before: ConfigRow, after: ConfigRow, secrets: SecretBox): boolean {
  const content = ({ id, tenant, spec, enabled, owner, target = null }: ConfigRow): string =>
    canonicalJson({ spec: opened(spec, secrets, rowContext({ tenant, id })), enabled, owner, target });
  return content(before) === content(after);
}

const hasSameLabels = ({ labels: before = {} }: ConfigRow, { labels: after = {} }: ConfigRow): boolean =>
  canonicalJson(before) === canonicalJson(after);

function inDocument(thrown: unknown, { index, kind, name }: WantedRow): unknown {
  if (!(thrown instanceof GatewayError)) return thrown;
  const place = `documents[${index}]`;
  return new GatewayError(thrown.code, `${place} (${kind} "${name}"): ${thrown.message}`, {
    param: thrown.param === null ? place : `${place}.${thrown.param}`,
    expose: thrown.expose,
    cause: thrown,
  });
}

/** The error of a row that cannot be used, with the document that describes the row. */
export function locateProblem(
  problem: { readonly kind: ResourceKind; readonly name: string; readonly error: unknown },
  wanted: readonly WantedRow[],
): unknown {
  const row = wanted.find(({ kind, name }) => kind === problem.kind && name === problem.name);
  return row === undefined ? problem.error : inDocument(problem.error, row);
}

export interface ApplyScene {
  readonly scene: WriteScene;
  readonly writer: Writer;
  /** The revision of the new rows. */
  readonly revision: number;
  readonly secrets: SecretBox;
  readonly people: PersonNames;
}

/** The changes that make the rows as wanted. Throws the first fault; its `param` names the document and the field. */
export function planRows(
  wanted: readonly WantedRow[],
  removed: readonly ConfigRow[],
  { scene, writer, revision, secrets, people }: ApplyScene,
): ConfigChange[] {
  const changes: ConfigChange[] = [];
  let { rows } = scene;
  const add = (change: ConfigChange): void => {
    const authorized = authorizeChange(writer, change, { ...scene, rows }, true);
    changes.push(authorized);
    rows = rows.with([authorized]);
  };

  const upsert = (want: WantedRow): void => {
    const stored = rows.group(want.kind, want.tenant).get(want.name);
    const operation = stored === undefined ? 'create' : 'replace';
    const change = planChange({ ...want, operation }, rows, revision, writer.actor, scene.factory, secrets, people);
    if (stored !== undefined && change.after !== null) {
      const isSame = hasSameContent(stored, change.after, secrets);
      if (isSame && hasSameLabels(stored, change.after)) return;
      if (!isSame && want.kind === 'skill' && isVersion(want.name))
        throw new GatewayError('configuration_invalid', 'a published version never changes; change the skill and publish a new version.');
      requireUnlocked(stored, writer);
      authorizeRow(writer, want.kind, stored, { ...scene, rows });
    }
    add(change);
  };

  for (const want of inOrder(wanted)) {
    try {
      upsert(want);
    } catch (thrown) {
      throw inDocument(thrown, want);
    }
  }
  for (const { kind, tenant, name } of inOrder(removed).toReversed()) {
    const stored = rows.group(kind, tenant).get(name);
    if (stored === undefined) continue;
    requireUnlocked(stored, writer);
    add({ kind, tenant, before: stored, after: null });
  }
  return changes;
}

export interface Applied {
  readonly revision: number;
  readonly changes: readonly ConfigChange[];
  /** The number of documents whose rows are so already. */
  readonly unchanged: number;
}
