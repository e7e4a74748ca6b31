/** A list of objects or numbers: one card per entry. */
import { DeleteOutlined, PlusOutlined } from '@ant-design/icons';
import { Button, Card } from 'antd';
import { type ReactNode, use } from 'react';
import type { FormSchema } from '../../api/kinds.ts';
import { useTexts } from '../../i18n/texts.ts';
import { FormContext } from './form-context.ts';
import { ObjectFields } from './object-fields.tsx';
import { controlOf, emptyValue, withoutNull } from './schema.ts';
import { texts } from './texts.ts';

interface ListFieldProps {
  readonly schema: FormSchema;
  readonly title: string;
  readonly path: string;
  readonly value: unknown;
  readonly onChange: (value: unknown) => void;
}

export function ListField({ schema, title, path, value, onChange }: ListFieldProps): ReactNode {
  const t = useTexts(texts);
  const { disabled, SchemaField } = use(FormContext);
  const entries = Array.isArray(value) ? (value as readonly unknown[]) : [];
  const item = withoutNull(schema.items ?? {}).schema;
  const replace = (index: number, next: unknown): void => onChange(entries.with(index, next));
  const show = (entry: unknown, index: number): ReactNode => {
    const at = `${path}.${index}`;
    if (controlOf(item) === 'object')
      return (
        <ObjectFields
          schema={item}
          path={at}
          value={(entry ?? {}) as Readonly<Record<string, unknown>>}
          onChange={(next) => replace(index, next)}
        />
      );
    const field = { name: title, schema: item, required: true };
    return <SchemaField field={field} path={at} value={entry} onChange={(next) => replace(index, next)} />;
  };
  return (
    <div className="form-list">
      {entries.map((entry, index) => (
        <Card
          // Entries have no names; their order is their identity.
          key={index}
          size="small"
          title={t('item', { number: index + 1 })}
          extra={
            !disabled && (
              <Button
                type="text"
                size="small"
                icon={<DeleteOutlined aria-hidden />}
                aria-label={`${t('remove')}: ${title} ${index + 1}`}
                onClick={() => onChange(entries.toSpliced(index, 1))}
              />
            )
          }
        >
          {show(entry, index)}
        </Card>
      ))}
      <Button
        icon={<PlusOutlined aria-hidden />}
        disabled={disabled || entries.length >= (schema.maxItems ?? Infinity)}
        aria-label={`${t('add')}: ${title}`}
        onClick={() => onChange([...entries, emptyValue(item)])}
      >
        {t('add')}
      </Button>
    </div>
  );
}
