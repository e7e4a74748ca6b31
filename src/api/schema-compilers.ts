/** Gives Fastify the compilers of route schemas. Without them it would load its own, which are large and unused. */
import type { FastifySchemaCompiler, FastifySerializerCompiler, FastifyServerOptions } from 'fastify';

type SchemaController = NonNullable<FastifyServerOptions['schemaController']>;

export function schemaCompilers<V, S>(validator: FastifySchemaCompiler<V>, serializer: FastifySerializerCompiler<S>): SchemaController {
  const compilersFactory = { buildValidator: () => validator, buildSerializer: () => serializer };
  // Fastify's types know compilers of JSON Schema only.
  return { compilersFactory } as unknown as SchemaController;
}
