/** The roles of a caller as one text. They are separated by spaces, so those within a role are stored as no-break spaces. */

export const storedRole = (role: string): string => role.replaceAll(' ', '\u00A0');

export const joinRoles = (roles: readonly string[]): string => roles.map(storedRole).join(' ');

export function splitRoles(text: string): string[] {
  return text
    .split(' ')
    .filter((role) => role !== '')
    .map((role) => role.replaceAll('\u00A0', ' '));
}
