/** The steps of a verification that the page names in the reader's language. */
const steps = {
  'it is a JWT': 'step.jwt',
  'it is not a JWT: only its service can read it': 'step.opaque',
  'its service is known': 'step.service',
  'it is an access token': 'step.access',
  'its signature and its times are valid': 'step.signature',
  'its audience is this gateway': 'step.audience',
  'it is a service account, so no look-up is made': 'step.account',
  'the service answered': 'step.answered',
  'its claims are mapped': 'step.mapped',
} as const;

/** Null for a step that the page does not know; it is shown as it is. */
export function stepKey(step: string): (typeof steps)[keyof typeof steps] | null {
  return Object.hasOwn(steps, step) ? steps[step as keyof typeof steps] : null;
}
