/** One field of a form: its title, its help, its error, and the control that its schema asks for. */
import { Form } from 'antd';
import { type ReactNode, use, useId } from 'react';
import { useLanguage } from '../../i18n/language.tsx';
import { FormContext, type SchemaFieldProps } from './form-context.ts';
import { HelpText } from './help-text.tsx';
import { ListField } from './list-field.tsx';
import { MapField } from './map-field.tsx';
import { ObjectFields } from './object-fields.tsx';
import { controlOf, helpOf, titleOf, withoutNull } from './schema.ts';
import { SimpleControl } from './simple-control.tsx';

export function SchemaField({ field, path, value, onChange }: SchemaFieldProps): ReactNode {
  const { language } = useLanguage();
  const { problems } = use(FormContext);
  const id = useId();
  const { schema, nullable } = withoutNull(field.schema);
  const control = controlOf(schema);
  const title = titleOf(field.name, field.schema, language);
  const help = helpOf(field.schema, language);
  const problem = problems[path];
  const own = { schema, value, onChange, path };

  if (control === 'object') {
    return (
      <fieldset className="form-group">
        <legend>{title}</legend>
        {help !== undefined && (
          <p className="form-help">
            <HelpText text={help} />
          </p>
        )}
        <ObjectFields {...own} value={(value ?? {}) as Readonly<Record<string, unknown>>} />
      </fieldset>
    );
  }
  return (
    <Form.Item
      label={title}
      htmlFor={id}
      required={field.required}
      extra={help !== undefined && <HelpText text={help} />}
      {...(problem === undefined ? {} : { validateStatus: 'error' as const, help: <span role="alert">{problem}</span> })}
    >
      {control === 'list' && <ListField {...own} title={title} />}
      {control === 'map' && <MapField {...own} title={title} />}
      {control !== 'list' && control !== 'map' && (
        <SimpleControl {...own} id={id} title={title} control={control} optional={nullable || !field.required} nullable={nullable} />
      )}
    </Form.Item>
  );
}
