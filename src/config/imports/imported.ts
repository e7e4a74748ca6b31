/** Collects the documents that an import makes, the secrets that they reference, and what cannot be carried over. */
import { apiVersion, type ConfigDocument } from '../documents.ts';
import { escaped, escapedOption } from '../references.ts';

export interface Imported {
  readonly documents: readonly ConfigDocument[];
  /** The variables that the documents reference, each with its value; null where the source names only the variable. */
  readonly secrets: ReadonlyMap<string, string | null>;
  /** A sentence for each part of the source that the documents do not hold. */
  readonly left: readonly string[];
}

type Kind = ConfigDocument['kind'];
type Spec = ConfigDocument['spec'];

/** The text of a value; empty for anything but texts and numbers. */
export const textOf = (value: unknown): string =>
  typeof value === 'string' ? value : typeof value === 'number' || typeof value === 'bigint' ? String(value) : '';

/** A value of the source in a sentence. */
export const brief = (value: unknown): string => (JSON.stringify(value) ?? 'nothing').slice(0, 60);

/** The text as a name of a row: letters, digits and `. _ : @ / -`, starting with a letter or digit; `otherwise` when none is left. */
export function rowName(text: string, otherwise = 'unnamed'): string {
  const safe = text
    .replaceAll(/[^A-Za-z0-9._:@/-]+/g, '-')
    .split('/')
    .map((part) => part.replace(/^[^A-Za-z0-9]+/, '').replace(/-+$/, ''))
    .filter((part) => part !== '')
    .join('/');
  return safe.slice(0, 120) || otherwise;
}

/** A decimal times ten to the power of `places`, without binary rounding: 2.5e-7 times a million is `0.25`. Null for no number or a negative one. */
export function shifted(value: unknown, places: number): string | null {
  const number = typeof value === 'string' && value.trim() !== '' ? Number(value) : value;
  if (typeof number !== 'number' || !Number.isFinite(number) || number < 0) return null;
  const [digits = '0', exponent = '0'] = number.toExponential().split('e');
  const [whole = '0', fraction = ''] = digits.split('.');
  const power = Number(exponent) + places - fraction.length;
  const all = `${whole}${fraction}${'0'.repeat(Math.max(0, power))}`.padStart(1 - Math.min(0, power), '0');
  const split = all.length + Math.min(0, power);
  const text = split === all.length ? all : `${all.slice(0, split)}.${all.slice(split)}`.replace(/\.?0+$/, '');
  return text.replace(/^0+(?=\d)/, '');
}

/** The decimal rounded half up to so many places. Null for one that no price can be: larger than 12 digits, or nothing after the rounding. */
export function priceAmount(decimal: string, places: number): string | null {
  const [whole = '', fraction = ''] = decimal.split('.');
  if (whole.length > 12) return null;
  if (fraction.length <= places) return decimal;
  const kept = BigInt(whole + fraction.slice(0, places)) + (fraction.charAt(places) >= '5' ? 1n : 0n);
  if (kept === 0n) return null;
  const digits = String(kept).padStart(places + 1, '0');
  return `${digits.slice(0, -places)}.${digits.slice(-places)}`.replace(/\.?0+$/, '');
}

/** The places of the amounts of a price per million tokens, and of all others. */
export const placesPerMillion = 9;
export const placesOfOthers = 12;

export class ImportedRows {
  /** The references that the import makes. Other text that looks like one is the source's own. */
  readonly #references = new Set<string>();
  readonly #documents = new Map<string, ConfigDocument>();
  readonly #providers = new Map<string, string>();
  readonly #secrets = new Map<string, string | null>();
  readonly #left = new Set<string>();
  readonly #granted = new Set<string>();

  left(sentence: string): void {
    this.#left.add(sentence);
  }

  /** The reference to a variable that the source names itself. */
  variable(name: string): string {
    if (!this.#secrets.has(name)) this.#secrets.set(name, null);
    return this.#reference(`\${env:${name}}`);
  }

  /** The reference to a variable with this value. The same value has one variable. */
  secret(value: string, wanted: string): string {
    // A name of its own: the source may mean another key by a vendor's usual variable.
    const base = `IMPORTED_${wanted.toUpperCase().replaceAll(/[^A-Z0-9]+/g, '_')}`;
    let name = base;
    for (let number = 2; this.#secrets.has(name) && this.#secrets.get(name) !== value; number++) name = `${base}_${number}`;
    this.#secrets.set(name, value);
    return this.#reference(`\${env:${name}}`);
  }

  /** The reference to the contents of a file that the source names. */
  file(path: string): string {
    return this.#reference(`\${file:${path}}`);
  }

  #reference(text: string): string {
    this.#references.add(text);
    return text;
  }

  #escaped(value: unknown, escape: (text: string) => string): unknown {
    if (typeof value === 'string') return this.#references.has(value) ? value : escape(value);
    if (Array.isArray(value)) return value.map((each) => this.#escaped(each, escape));
    if (typeof value !== 'object' || value === null) return value;
    return Object.fromEntries(
      Object.entries(value).map(([key, inner]) => [key, this.#escaped(inner, key === 'options' ? escapedOption : escape)]),
    );
  }

  /** The name of a provider with this kind and these options. Equal ones are one row. */
  provider(wanted: string, kind: string, options: Spec): string {
    const key = JSON.stringify([kind, options]);
    const known = this.#providers.get(key);
    if (known !== undefined) return known;
    const name = this.add('Provider', rowName(wanted, kind), { kind, options });
    this.#providers.set(key, name);
    return name;
  }

  /** Adds a row; a name that is taken gets a number. Returns the name. */
  add(kind: Kind, wanted: string, spec: Spec, enabled = true): string {
    const base = rowName(wanted);
    let name = base;
    for (let number = 2; this.#documents.has(`${kind} ${name}`); number++) name = `${base}-${number}`;
    this.#documents.set(`${kind} ${name}`, { apiVersion, kind, metadata: { name }, ...(enabled ? {} : { enabled }), spec });
    return name;
  }

  /** Grants the use of a model to a role, once. */
  grant(role: string, model: string): void {
    const key = `${role} ${model}`;
    if (this.#granted.has(key)) return;
    this.#granted.add(key);
    const spec = { subject_type: 'role', subject: role, capability: `model/${model}`, action: 'use' };
    this.add('Grant', `${role}-${model}`.replaceAll('/', '-'), spec);
  }

  /** The documents, with a grant of each model to `role` unless it is null. */
  result(role: string | null): Imported {
    if (role !== null) for (const { kind, metadata } of this.#documents.values()) if (kind === 'Model') this.grant(role, metadata.name);
    const documents = [...this.#documents.values()].map((each) => ({ ...each, spec: this.#escaped(each.spec, escaped) as Spec }));
    return { documents, secrets: this.#secrets, left: [...this.#left] };
  }
}
