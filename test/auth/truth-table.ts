/** The truth table of permissions. The decision and every entry point are held to it. */
import { type Action, actions, type CapabilityKind, capabilityKinds, type Role, roles } from '../../src/types/access.ts';

export const relations = ['own', 'granted', 'other', 'other-tenant'] as const;
export type Relation = (typeof relations)[number];

/** A allowed, D denied (403), N not found (404): own, granted, other, other tenant. The same for models, skills and MCP servers. */
export const table: Readonly<Record<string, string>> = {
  'admin view': 'AAAN',
  'admin use': 'AAAN',
  'admin manage': 'AAAN',
  'developer view': 'AAAN',
  'developer use': 'AAAN',
  'developer manage': 'ADDN',
  'user view': 'DADN',
  'user use': 'DADN',
  'user manage': 'DDDN',
  'viewer view': 'AAAN',
  'viewer use': 'DDDN',
  'viewer manage': 'DDDN',
};

export interface Row {
  readonly role: Role;
  readonly kind: CapabilityKind;
  readonly action: Action;
  readonly relation: Relation;
  readonly expected: string;
}

export const rows: readonly Row[] = roles.flatMap((role) =>
  capabilityKinds.flatMap((kind) =>
    actions.flatMap((action) =>
      relations.map((relation, at) => ({ role, kind, action, relation, expected: table[`${role} ${action}`]?.[at] ?? '' })),
    ),
  ),
);
