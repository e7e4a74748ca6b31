/** What each field of a form knows of the whole. */
import { type ComponentType, createContext } from 'react';
import type { Field } from './schema.ts';

/** Messages by the path of the field, such as `options.base_url`. */
export type FormProblems = Readonly<Record<string, string>>;

export interface SchemaFieldProps {
  readonly field: Field;
  readonly path: string;
  readonly value: unknown;
  readonly onChange: (value: unknown) => void;
}

interface FormState {
  readonly disabled: boolean;
  readonly problems: FormProblems;
  /** Shows one field. Objects and lists are made of fields, and fields of objects and lists. */
  readonly SchemaField: ComponentType<SchemaFieldProps>;
}

export const FormContext = createContext<FormState>({ disabled: true, problems: {}, SchemaField: () => null });
