/** The request of an HTTP look-up: its address, and the values that it says about the token and the person. */
import type { Discovery } from '../discovery.ts';
import type { HttpLookup } from '../issuer.ts';
import type { LookupInput } from './lookup-input.ts';

const placeholder = /\{(token|subject|username)\}/g;

const valueOf = ({ token, subject, username }: LookupInput, field: string): string =>
  (field === 'token' ? token : field === 'subject' ? subject : username) ?? '';

export function fillTemplates(values: Readonly<Record<string, string>>, input: LookupInput): [string, string][] {
  return Object.entries(values).map(([name, value]) => [name, value.replace(placeholder, (_all, field: string) => valueOf(input, field))]);
}

/** Encodes a name as one path segment. Throws for an empty name and for dot segments, which URL parsers resolve to another path (RFC 3986 5.2.4). */
function segment(name: string): string {
  if (name === '' || name === '.' || name === '..') throw new Error(`"${name}" cannot be part of the address of a person`);
  return encodeURIComponent(name);
}

/** True when the look-up sends the caller's token, so that it cannot be made about a person alone. */
export function needsToken({ headers, query, form }: HttpLookup): boolean {
  return [headers, query, form].some((values) => Object.values(values).some((value) => value.includes('{token}')));
}

/** Rejects when the service does not publish the address. */
export async function lookupAddress(lookup: HttpLookup, discovery: Discovery, input: LookupInput): Promise<URL> {
  if (typeof lookup.url !== 'string') {
    const address = (await discovery.known())[lookup.url.discovered];
    if (address === null) throw new Error(`the discovery document names no ${lookup.url.discovered}; choose another look-up`);
    return new URL(address);
  }
  const url = new URL(lookup.url.replace(placeholder, (_all, field: string) => segment(valueOf(input, field))));
  for (const [name, value] of fillTemplates(lookup.query, input)) url.searchParams.set(name, value);
  return url;
}
