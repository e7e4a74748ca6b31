/** The form made from a JSON Schema. A new kind of provider, skill or transport needs no line here. */
import { Form } from 'antd';
import { type ReactNode, useMemo } from 'react';
import { FormContext, type FormProblems } from './form-context.ts';
import { ObjectFields, type ObjectFieldsProps } from './object-fields.tsx';
import { SchemaField } from './schema-field.tsx';

interface SchemaFormProps extends Omit<ObjectFieldsProps, 'path'> {
  /** Where the object lies in the row, such as `options`. */
  readonly path?: string;
  readonly disabled?: boolean;
  /** Errors of the server by the path of their field. */
  readonly problems?: FormProblems;
}

const none: FormProblems = {};

export function SchemaForm({ disabled = false, problems = none, path = '', ...fields }: SchemaFormProps): ReactNode {
  const state = useMemo(() => ({ disabled, problems, SchemaField }), [disabled, problems]);
  return (
    <FormContext value={state}>
      <Form layout="vertical" component="div" disabled={disabled}>
        <ObjectFields {...fields} path={path} />
      </Form>
    </FormContext>
  );
}
