/** The address to which a browser returns after its sign-in. */

/** A path of this gateway, never another site, to prevent open redirects. */
export function safeReturn(returnTo: string | undefined): string {
  if (returnTo === undefined || !/^\/(?![/\\])[\x21-\x7e]*$/.test(returnTo) || returnTo.includes('\\')) return '/';
  return returnTo;
}
