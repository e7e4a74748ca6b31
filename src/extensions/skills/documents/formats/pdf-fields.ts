/** The filled-in form fields of a PDF, which are not part of the page's text. */

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

/** `name: value`; null for an empty field and for other annotations. */
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

/** One line per field, in page order. */
export const filledFields = (annotations: readonly Field[]): string => annotations.flatMap((each) => lineOf(each) ?? []).join('\n');
