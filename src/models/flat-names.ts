/** Names for the tools of namespaces, for vendors that have plain function names only. */
import { createHash } from 'node:crypto';

/** OpenAI's own default namespace: its tools keep their names. */
const defaultNamespace = 'functions';
const longest = 64;

/** A name with a hash of its origin, for names that are too long or taken. The same in every turn of a conversation. */
export function hashedName(namespace: string, name: string): string {
  const hash = createHash('sha256').update(`${namespace}\n${name}`).digest('hex').slice(0, 8);
  return `${plainName(namespace, name).slice(0, longest - 9)}_${hash}`;
}

function plainName(namespace: string, name: string): string {
  const whole = namespace === defaultNamespace ? name : `${namespace.replace(/_+$/, '')}__${name}`;
  return whole.replace(/[^\w-]/g, '_');
}

/** The function name of `name` in `namespace`, at most 64 characters long. */
export function flatName(namespace: string, name: string): string {
  const plain = plainName(namespace, name);
  return plain.length > longest ? hashedName(namespace, name) : plain;
}
