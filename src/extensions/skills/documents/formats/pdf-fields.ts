/** What people have filled in into the form of a PDF: it stands beside the text of the page. */

interface Field {
  readonly fieldType?: unknown;
  readonly fieldName?: unknown;
  readonly fieldValue?: unknown;
  readonly alternativeText?: unknown;
  readonly hidden?: unknown;
  readonly checkBox?: unknown;
  readonly radioButton?: unknown;
  readonly buttonValue?: unknown;
  readonly exportValue?: unknown;
  readonly password?: unknown;
}

const text = (value: unknown): string => (typeof value === 'string' ? value.trim() : '');

/** `name: value`; null for what is no field, or has nothing in it. */
function lineOf(field: Field): string | null {
  if (field.hidden === true || field.password === true) return null;
  const name = text(field.alternativeText) || text(field.fieldName);
  const { fieldValue: value } = field;
  const line = (own: string): string | null => (own === '' ? null : name === '' ? own : `${name}: ${own}`);
  switch (field.fieldType) {
    case 'Tx':
      return line(text(value));
    case 'Ch':
      return line(
        Array.isArray(value)
          ? value
              .map(text)
              .filter((each) => each !== '')
              .join(', ')
          : text(value),
      );
    case 'Btn':
      if (field.checkBox === true) return text(value) === '' ? null : `${text(value) === 'Off' ? '☐' : '☒'} ${name}`;
      return field.radioButton === true && text(value) !== '' && value === field.buttonValue ? line(text(value)) : null;
    default:
      return null;
  }
}

/** Each a line, in the order of the page. */
export const filledFields = (annotations: readonly Field[]): string => annotations.flatMap((each) => lineOf(each) ?? []).join('\n');
