/** The row of a service account: a subject that is not a person and cannot sign in. It calls with keys. Its roles are its own, or those of a team. */
import { z } from 'zod';
import { foreignNameField, textField } from './printable-text.ts';
import { name } from './spec-fields.ts';

export const serviceAccountSpec = z
  .strictObject({
    description: textField(1024).default(''),
    roles: z
      .array(foreignNameField(256))
      .max(50)
      .default([])
      .describe(
        'The roles and teams of the service account, as grants and limits name them. admin, developer and viewer reach as far as they do for people; any other reaches what is granted to it. Left out with a team.',
      ),
    team: name
      .optional()
      .describe(
        'The team that owns it. Its rights are those of a member who has only the role of the team, and administrators of the team make and revoke its keys.',
      ),
  })
  .refine((spec) => spec.team !== undefined || spec.roles.length > 0, { path: ['roles'], message: 'give at least one role, or a team' })
  .refine((spec) => spec.team === undefined || spec.roles.length === 0, {
    path: ['roles'],
    message: 'leave it out: a service account of a team has the role of the team alone',
  });

export type ServiceAccountSpec = z.output<typeof serviceAccountSpec>;

/** The issuer of service accounts. No identity service has this name, so a service account is never the person of the same name. */
export const serviceAccountIssuer = 'urn:pailou:service';
