/** Approves definitions by the digests that the administrator saw: all of them or none. */
import { GatewayError } from '../../../types/errors.ts';
import type { PinnedDefinition, DefinitionKind } from '../../../types/tool-definitions.ts';
import { approved, definitionKey, type Definitions } from './compare-definitions.ts';

/** One reviewed definition. `digest` is that of the definition as the server offers it. */
export interface SeenItem {
  readonly kind: DefinitionKind;
  readonly name: string;
  readonly digest: string;
}

export interface Approval {
  readonly before: PinnedDefinition;
  readonly after: PinnedDefinition;
}

/** The approvals to write, without definitions that are approved already. Throws `not_found` or `revision_conflict` for the first that cannot be approved. */
export function approvalsOf(server: string, pins: Definitions, wanted: readonly SeenItem[], by: string, now: number): Approval[] {
  const made = new Map<string, Approval>();
  for (const [index, { kind, name, digest }] of wanted.entries()) {
    const key = definitionKey(kind, name);
    const before = pins.get(key);
    const called = `${kind} "${name.slice(0, 200)}"`;
    if (before === undefined)
      throw new GatewayError('not_found', `The MCP server "${server}" has no ${called}. Nothing was approved.`, {
        param: `items[${index}].name`,
      });
    if (before.state === 'approved' && before.digest === digest) continue;
    const after = approved(before, digest, by, now);
    if (after === null) {
      throw new GatewayError(
        'revision_conflict',
        `What "${server}" offers as ${called} is not what you saw. Nothing was approved: look at it again, then approve.`,
        { param: `items[${index}].digest`, expose: { current: { kind, name, digest: before.seenDigest ?? before.digest } } },
      );
    }
    made.set(key, { before, after });
  }
  return [...made.values()];
}
