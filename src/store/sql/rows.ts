/** Numbers and lists in the forms that PostgreSQL takes and gives. */

/** Addresses have 64 bits without a sign, and PostgreSQL's bigint has one: the bits are the same. */
export function toBigint(address: bigint): string {
  return BigInt.asIntN(64, address).toString();
}

/** An array as text, for a row among many: arrays of arrays would have to be of one length. */
export function arrayText(values: readonly (string | number | null)[]): string {
  return `{${values.map((value) => value ?? 'NULL').join(',')}}`;
}

/** What PostgreSQL takes as text: it knows no NUL. */
export function plainText(text: string): string {
  return text.replaceAll('\0', '\uFFFD').toWellFormed();
}

/** Pieces of at most `size`, so that no statement grows with its input. */
export function* pieces<T>(all: readonly T[], size: number): Generator<T[]> {
  for (let at = 0; at < all.length; at += size) yield all.slice(at, at + size);
}
