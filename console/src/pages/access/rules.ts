/** The rules of a decision that the page explains in the reader's language. */
const allowing = ['role', 'owner'] as const;
const denying = ['unknown', 'key', 'code', 'role', 'owner', 'grant'] as const;
export type RuleKey = `yes.${(typeof allowing)[number] | 'grant'}` | `no.${(typeof denying)[number]}`;

/** Null for a rule that the page does not know; it is shown as it is. The same rule allows one person and denies another. */
export function ruleKey(rule: string, isAllowed: boolean): { readonly key: RuleKey | null; readonly grant: string } {
  if (rule.startsWith('grant:')) return { key: 'yes.grant', grant: rule.slice('grant:'.length) };
  if (isAllowed) {
    const known = allowing.find((each) => each === rule);
    return { key: known === undefined ? null : `yes.${known}`, grant: '' };
  }
  const known = denying.find((each) => each === rule);
  return { key: known === undefined ? null : `no.${known}`, grant: '' };
}
