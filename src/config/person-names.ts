/** Person names in the API, in YAML and in exports: a bare subject with one issuer, else with the issuer. */
import { GatewayError } from '../types/errors.ts';
import { personRef, splitPerson, systemActor } from '../types/person.ts';
import { serviceAccountIssuer } from '../types/service-account-spec.ts';

export interface PersonNames {
  /**
   * The reference to store for a written name. An unchanged name keeps `stored`, also of a former issuer. Throws `invalid_request` for an
   * unknown issuer, and for a bare subject with several issuers.
   */
  resolve(written: string, param: string, stored?: string | null): string;
  /** A reference as the API shows it. */
  show(ref: string): string;
}

/** Such a text is a reference, so a subject of this form must be written with its issuer. */
const namesAnIssuer = /^(?:https?:\/\/[^#]*|urn:pailou:service)#/;

const refused = (param: string, message: string): GatewayError => new GatewayError('invalid_request', `${param}: ${message}`, { param });

const longestSubject = 256;

/** `issuers`: the configured ones by name. Without any, texts stay unchanged. */
export function createPersonNames(issuers: readonly string[]): PersonNames {
  const only = issuers.length === 1 ? issuers[0] : undefined;
  const list = issuers.map((issuer) => `${issuer}#…`).join(' or ');
  const referenceOf = (written: string, param: string): string => {
    if ([...issuers, serviceAccountIssuer].some((issuer) => written.startsWith(`${issuer}#`) && written.length > issuer.length + 1))
      return written;
    if (namesAnIssuer.test(written)) {
      const { issuer } = splitPerson(written);
      throw refused(param, `the issuer "${issuer}" is not configured here. Write the person as ${list}`);
    }
    if (only !== undefined) return personRef({ issuer: only, subject: written });
    throw refused(param, `"${written}" is ambiguous, because several issuers are configured. Write ${list}`);
  };
  return {
    resolve(written, param, stored = null) {
      if (issuers.length === 0 || written === stored) return written;
      const ref = referenceOf(written, param);
      if (splitPerson(ref).subject.length > longestSubject) throw refused(param, `a subject has at most ${longestSubject} characters.`);
      return ref;
    },
    show(ref) {
      const { issuer, subject } = splitPerson(ref);
      const isPlain = subject !== systemActor && !namesAnIssuer.test(subject) && !subject.startsWith(`${only}#`);
      return issuer === only && isPlain ? subject : ref;
    },
  };
}
