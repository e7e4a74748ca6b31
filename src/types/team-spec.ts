/** The row of a team: which role or group of the token makes a person a member, and who administers it. */
import { z } from 'zod';
import { longestPerson } from './person.ts';
import { foreignNameField, textField } from './printable-text.ts';

export const teamSpec = z.strictObject({
  description: textField(1024).default(''),
  role: foreignNameField(256)
    .refine((role) => role !== 'admin', 'another role than admin: administrators reach the whole tenant, and are not a team')
    .describe('The role or group in the token that makes a person a member. Grants and limits of the team name it as their subject.'),
  administrator_role: foreignNameField(256)
    .optional()
    .describe(
      'Members who also have this role administer the team: they see its members, usage and runs, and make keys for its service accounts.',
    ),
  administrators: z
    .array(foreignNameField(longestPerson))
    .max(50)
    .default([])
    .describe('People who administer the team, as GET /api/me names them. They need not be members.'),
});

export type TeamSpec = z.output<typeof teamSpec>;

/** A team as decisions take it: a row of configuration. */
export interface Team {
  readonly tenant: string;
  readonly enabled: boolean;
  readonly spec: TeamSpec;
}
