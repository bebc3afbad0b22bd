/** Strict base64: exactly one spelling of each alphabet, since lenient readers disagree about bytes after the padding. */

/** Decodes padded base64, or base64url with or without padding; undefined for anything else (RFC 4648, DSSE). */
export function decodeBase64(text: string): Buffer | undefined {
  const bytes = Buffer.from(text, 'base64');
  const standard = bytes.toString('base64');
  if (text === standard) return bytes;
  const url = bytes.toString('base64url');
  const padding = standard.slice(url.length);
  return text === url || text === url + padding ? bytes : undefined;
}

/** Base64 as C2SP has it: the standard alphabet with padding (RFC 4648, section 4), so that a note has one spelling. */
export function decodePaddedBase64(text: string): Buffer | undefined {
  const bytes = Buffer.from(text, 'base64');
  return bytes.toString('base64') === text ? bytes : undefined;
}
