/** Reading answers of servers that may be hostile. */

/** The whole body, or undefined as soon as it is over the limit: a server may never stop sending. */
export async function readBounded(response: Response, maxBytes: number): Promise<Buffer | undefined> {
  const parts: Uint8Array[] = [];
  let sizeBytes = 0;
  for await (const part of response.body ?? []) {
    sizeBytes += part.length;
    if (sizeBytes > maxBytes) return undefined;
    parts.push(part);
  }
  return Buffer.concat(parts);
}
