/** The names of one model: with a provider or region prefix, with a snapshot date, or plain. */

const prefixes: readonly RegExp[] = [
  // A resource name: arn:aws:bedrock:eu-west-1:…:inference-profile/eu.anthropic.claude-…, publishers/google/models/…
  /^arn:aws[\w-]*:bedrock:.*\//,
  /^(?:projects\/.*\/)?publishers\/[\w-]+\/models\//,
  /^models\//,
  // A Bedrock profile for several regions.
  /^(?:us|eu|apac|ap|jp|au|ca|sa|us-gov|global)\./,
  // The vendor's prefix, as in other gateways and clients: openai/gpt-4o.
  /^[\w.-]+\//,
];

/** Suffixes beyond the model: `-2024-08-06`, `@20250929`, `-251015`, `-0324`, `-001`, `-latest`, `-v1:0`. */
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

/** The name itself and its forms without a prefix, longest first, in lower case. */
export function unprefixed(model: string): readonly string[] {
  return without(prefixes, [model.toLowerCase()]);
}

/** The family name of a dated name; the name itself without a date. */
export function undated(name: string): string {
  return without(suffixes, [name]).at(-1) ?? name;
}
