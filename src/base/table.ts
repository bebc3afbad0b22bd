/** Tables whose rows the program itself lists: their names keep their types. */

/** The names of a table that is written down in the code, in its order; never of an object that came from outside. */
export function keysOf<Key extends string>(table: { readonly [key in Key]?: unknown }): Key[] {
  return Object.keys(table) as Key[];
}

/** Whether a text from outside is the name of a row of the table itself, and not of what every object inherits. */
export function isKeyOf<Key extends string>(
  table: Readonly<Record<Key, unknown>>,
  name: unknown,
): name is Key {
  return typeof name === 'string' && Object.hasOwn(table, name);
}

/** A table with a row for each name. */
export function tableOf<Key extends string, Row>(
  names: readonly Key[],
  row: (name: Key) => Row,
): Record<Key, Row> {
  return Object.fromEntries(names.map((name) => [name, row(name)])) as Record<Key, Row>;
}

/** Whether a value from outside is one of a closed list. */
export function isOneOf<T>(list: readonly T[], value: unknown): value is T {
  return (list as readonly unknown[]).includes(value);
}
