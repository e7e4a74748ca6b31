/** Fills values into a text. */
export type Values = Readonly<Record<string, string | number>>;

const english = new Intl.PluralRules('en-US');

/**
 * Replaces `{name}` by its value, and `{name|one|other}` by the words that go with that number in English; Chinese has no plural.
 * An unknown name stays, so that a mistake is visible.
 */
export function fillText(text: string, values: Values = {}): string {
  return text.replace(/\{([a-z]+)(?:\|([^{}|]*)\|([^{}|]*))?\}/gi, (whole, name: string, one?: string, other?: string) => {
    const value = values[name];
    if (value === undefined) return whole;
    if (one === undefined || other === undefined) return String(value);
    return english.select(Number(value)) === 'one' ? one : other;
  });
}
