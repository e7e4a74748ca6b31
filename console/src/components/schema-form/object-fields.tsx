/** The fields of one object; those that most rows leave out are folded. */
import { Collapse } from 'antd';
import { type ReactNode, use } from 'react';
import type { FormSchema } from '../../api/kinds.ts';
import { useTexts } from '../../i18n/texts.ts';
import { FormContext } from './form-context.ts';
import { type Field, fieldsOf } from './schema.ts';
import { texts } from './texts.ts';

export interface ObjectFieldsProps {
  readonly schema: FormSchema;
  readonly value: Readonly<Record<string, unknown>>;
  readonly onChange: (value: Readonly<Record<string, unknown>>) => void;
  /** The place of this object in the whole value, such as `options` or `deployments.0`. */
  readonly path: string;
}

export function ObjectFields({ schema, value, onChange, path }: ObjectFieldsProps): ReactNode {
  const t = useTexts(texts);
  const { SchemaField } = use(FormContext);
  const { usual, advanced } = fieldsOf(schema);
  const show = (field: Field): ReactNode => (
    <SchemaField
      key={field.name}
      field={field}
      path={path === '' ? field.name : `${path}.${field.name}`}
      value={value[field.name]}
      onChange={(next) => {
        const { [field.name]: _before, ...others } = value;
        onChange(next === undefined ? others : { ...others, [field.name]: next });
      }}
    />
  );
  return (
    <>
      {usual.map(show)}
      {advanced.length > 0 && (
        <Collapse
          ghost
          size="small"
          className="form-advanced"
          items={[{ key: 'advanced', label: t('advanced'), children: advanced.map(show) }]}
        />
      )}
    </>
  );
}
