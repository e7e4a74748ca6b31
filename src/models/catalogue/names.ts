/** The names by which one model goes: with the prefix of a provider or a region, with the day of its snapshot, or plain. */

const prefixes: readonly RegExp[] = [
  // The name of a resource: arn:aws:bedrock:eu-west-1:…:inference-profile/eu.anthropic.claude-…, publishers/google/models/…
  /^arn:aws[\w-]*:bedrock:.*\//,
  /^(?:projects\/.*\/)?publishers\/[\w-]+\/models\//,
  /^models\//,
  // A profile of Bedrock that serves several regions.
  /^(?:us|eu|apac|ap|jp|au|ca|sa|us-gov|global)\./,
  // The vendor's name, as other gateways and clients write it: openai/gpt-4o.
  /^[\w.-]+\//,
];

/** What a name carries at its end beyond the model: `-2024-08-06`, `@20250929`, `-251015`, `-0324`, `-001`, `-latest`, `-v1:0`. */
const suffixes: readonly RegExp[] = [
  /(?:-v\d+)?:\d+$/,
  /[-@](?:20\d\d-[01]\d-[0-3]\d|20\d\d[01]\d[0-3]\d)$/,
  /-2\d[01]\d[0-3]\d$/,
  /-[01]\d[0-3]\d$/,
  /-00\d$/,
  /[-@](?:latest|default)$/,
];

const without = (patterns: readonly RegExp[], names: readonly string[]): string[] => {
  const found = [...names];
  for (const name of found) {
    for (const pattern of patterns) {
      const rest = name.replace(pattern, '');
      if (rest !== name && rest !== '' && !found.includes(rest)) found.push(rest);
    }
  }
  return found;
};

/** The name itself and what it is without a prefix, the longest first. In lower case. */
export function unprefixed(model: string): readonly string[] {
  return without(prefixes, [model.toLowerCase()]);
}

/** The name of the family that a dated name is a snapshot of; the name itself where it carries no day. */
export function undated(name: string): string {
  return without(suffixes, [name]).at(-1) ?? name;
}
