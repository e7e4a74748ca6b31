/** The acts that the page names; others are shown as the gateway writes them. */
export const commonActs = [
  'create',
  'update',
  'delete',
  'approve',
  'denied',
  'refused',
  'signed-in',
  'signed-out',
  'blocked',
  'unblocked',
  'asked as',
  'viewed as',
  'export',
] as const;

export type CommonAct = (typeof commonActs)[number];

export function isCommonAct(act: string): act is CommonAct {
  return (commonActs as readonly string[]).includes(act);
}
