/** Addresses and other numbers as hexadecimal text, as traces and debug information write them. */

/** `0x` and lower-case digits, without leading zeros. */
export const hex = (value: number | bigint): string => `0x${value.toString(16)}`;
