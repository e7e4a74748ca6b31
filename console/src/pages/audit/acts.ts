/** The acts that the page names; others are shown as the gateway writes them. */
export const commonActs = [
  'create',
  'update',
  'delete',
  'approve',
  'withhold',
  'denied',
  'denied, left out',
  'refused',
  'refused, left out',
  'signed-in',
  'signed-out',
  'block',
  'unblock',
  'ended',
  'connect',
  'disconnect',
  'end session',
  'asked as',
  'viewed as',
  'export',
  'alert given up',
  'master key rotated',
  'circuit open',
  'circuit closed',
] as const;

export type CommonAct = (typeof commonActs)[number];

export function isCommonAct(act: string): act is CommonAct {
  return (commonActs as readonly string[]).includes(act);
}
