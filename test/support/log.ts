/** A small transparency log made at run time: leaves, tiles, checkpoints, witnesses, and a server that can misbehave. */
import { createHash, generateKeyPairSync, type KeyObject, sign } from 'node:crypto';
import { mkdirSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { dirname, join } from 'node:path';

import { leafHash, nodeHash } from '../../src/evidence/log/merkle.ts';
import { tilePath } from '../../src/evidence/log/tiles.ts';
import { formatTlogProof } from '../../src/evidence/log/tlog-proof.ts';

interface Signer {
  name: string;
  /** As C2SP numbers them: 1 Ed25519, 2 ECDSA, 4 a witness. */
  type: 1 | 2 | 4;
  key: KeyObject;
  raw: Buffer;
}

function makeSigner(name: string, type: 1 | 2 | 4): Signer {
  const { privateKey, publicKey } =
    type === 2 ? generateKeyPairSync('ec', { namedCurve: 'P-256' }) : generateKeyPairSync('ed25519');
  const spki = publicKey.export({ type: 'spki', format: 'der' });
  return { name, type, key: privateKey, raw: type === 2 ? spki : spki.subarray(-32) };
}

function keyHash({ name, type, raw }: Signer): Buffer {
  if (type === 2) return createHash('sha256').update(raw).digest().subarray(0, 4);
  return createHash('sha256')
    .update(`${name}\n`)
    .update(Buffer.from([type]))
    .update(raw)
    .digest()
    .subarray(0, 4);
}

function verifierKey(signer: Signer): string {
  const data = Buffer.concat([Buffer.from([signer.type]), signer.raw]).toString('base64');
  return `${signer.name}+${keyHash(signer).toString('hex')}+${data}`;
}

function signatureLine(signer: Signer, text: string, time = 1_790_000_000): string {
  let signature: Buffer;
  if (signer.type === 4) {
    const stamp = Buffer.alloc(8);
    stamp.writeBigUInt64BE(BigInt(time));
    const signed = Buffer.from(`cosignature/v1\ntime ${time}\n${text}`);
    signature = Buffer.concat([stamp, sign(null, signed, signer.key)]);
  } else signature = sign(signer.type === 2 ? 'sha256' : null, Buffer.from(text), signer.key);
  return `— ${signer.name} ${Buffer.concat([keyHash(signer), signature]).toString('base64')}\n`;
}

export class TestLog {
  readonly origin: string;
  readonly entries: Buffer[] = [];
  private readonly signer: Signer;
  private readonly witnesses: Signer[];
  /** Hashes of complete subtrees: levels[l][i] covers 2^l leaves. */
  private readonly levels: Buffer[][] = [[]];

  constructor(o: { origin?: string; witnesses?: number; scheme?: 'ed25519' | 'ecdsa' } = {}) {
    this.origin = o.origin ?? 'log.example/test';
    this.signer = makeSigner(this.origin, o.scheme === 'ecdsa' ? 2 : 1);
    this.witnesses = Array.from({ length: o.witnesses ?? 0 }, (_, i) => makeSigner(`witness${i}.example`, 4));
  }

  get verifierKey(): string {
    return verifierKey(this.signer);
  }

  /** SubjectPublicKeyInfo of an ECDSA log's key. */
  get spki(): Buffer {
    return this.signer.raw;
  }

  /** The log's signature over any bytes, as Rekor v1 signs its promises. */
  sign(bytes: Buffer): Buffer {
    return sign('sha256', bytes, this.signer.key);
  }

  get witnessKeys(): string[] {
    return this.witnesses.map(verifierKey);
  }

  get size(): number {
    return this.entries.length;
  }

  /** Appends an entry and returns its index. */
  append(entry: Buffer): number {
    this.entries.push(entry);
    let hash = leafHash(entry);
    for (let level = 0; ; level++) {
      this.levels[level] ??= [];
      const row = this.levels[level]!;
      row.push(hash);
      if (row.length % 2 === 1) break;
      hash = nodeHash(row.at(-2)!, row.at(-1)!);
    }
    return this.entries.length - 1;
  }

  /** Appends so many small entries, each another one. */
  grow(count: number): this {
    for (let i = 0; i < count; i++) this.append(Buffer.from(`entry ${this.size}`));
    return this;
  }

  root(size: number = this.size, from = 0): Buffer {
    if (size === from) return createHash('sha256').digest();
    const count = size - from;
    const level = Math.log2(count);
    if (Number.isInteger(level) && from % count === 0) return this.levels[level]![from / count]!;
    const middle = from + split(count);
    return nodeHash(this.root(middle, from), this.root(size, middle));
  }

  inclusion(index: number, size: number = this.size, from = 0): Buffer[] {
    if (size - from === 1) return [];
    const middle = from + split(size - from);
    return index < middle
      ? [...this.inclusion(index, middle, from), this.root(size, middle)]
      : [...this.inclusion(index, size, middle), this.root(middle, from)];
  }

  /** The signed checkpoint; what is given stands in for the truth. */
  checkpoint(size: number = this.size, o: { origin?: string; root?: Buffer } = {}): string {
    const text = `${o.origin ?? this.origin}\n${size}\n${(o.root ?? this.root(size)).toString('base64')}\n`;
    return `${text}\n${[this.signer, ...this.witnesses].map((signer) => signatureLine(signer, text)).join('')}`;
  }

  tlogProof(index: number, o: { size?: number; body?: boolean } = {}): string {
    const size = o.size ?? this.size;
    return formatTlogProof({
      extra: o.body ? this.entries[index]! : null,
      index,
      hashes: this.inclusion(index, size),
      checkpoint: this.checkpoint(size),
    });
  }

  reference(index: number, size: number = this.size): string {
    return `rekor:${encodeURIComponent(this.origin)}/${index}@${size}?root=${this.root(size).toString('hex')}`;
  }

  /** What a tiled log serves at a path, for a size; undefined for what it does not have. */
  serveFile(path: string, size: number = this.size): Buffer | undefined {
    if (path === 'checkpoint') return Buffer.from(this.checkpoint(size));
    return this.files(size).get(path);
  }

  /** Every file of the tiled log, by path. */
  files(size: number = this.size): Map<string, Buffer> {
    const files = new Map([['checkpoint', Buffer.from(this.checkpoint(size))]]);
    for (let level = 0; Math.floor(size / 256 ** level) > 0; level++) {
      const row = (this.levels[level * 8] ?? []).slice(0, Math.floor(size / 256 ** level));
      for (let tile = 0; tile * 256 < row.length; tile++) {
        const hashes = row.slice(tile * 256, tile * 256 + 256);
        files.set(tilePath(level, tile, hashes.length), Buffer.concat(hashes));
      }
    }
    for (let tile = 0; tile * 256 < size; tile++) {
      const entries = this.entries.slice(tile * 256, Math.min(size, tile * 256 + 256));
      const bundle = entries.flatMap((entry) => {
        const length = Buffer.alloc(2);
        length.writeUInt16BE(entry.length);
        return [length, entry];
      });
      files.set(tilePath('entries', tile, entries.length), Buffer.concat(bundle));
    }
    return files;
  }

  writeFiles(folder: string, size: number = this.size): void {
    for (const [path, bytes] of this.files(size)) {
      mkdirSync(dirname(join(folder, path)), { recursive: true });
      writeFileSync(join(folder, path), bytes);
    }
  }
}

function split(n: number): number {
  let k = 1;
  while (k * 2 < n) k *= 2;
  return k;
}

export interface Served {
  url: string;
  requests: string[];
  close(): Promise<void>;
}

/** Serves answers on the loopback interface; `answer` gives a body, a status, or undefined for 404. */
export async function serve(answer: (path: string) => Buffer | number | undefined): Promise<Served> {
  const requests: string[] = [];
  const server: Server = createServer((request, response) => {
    const path = (request.url ?? '').slice(1);
    requests.push(path);
    const found = answer(path) ?? 404;
    if (typeof found !== 'number') return response.end(found);
    response.statusCode = found;
    if (found === 302) response.setHeader('location', 'http://127.0.0.1:65099/');
    return response.end();
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    requests,
    close: () =>
      new Promise((resolve) => {
        server.closeAllConnections();
        server.close(() => resolve());
      }),
  };
}
