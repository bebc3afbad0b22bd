/** RFC 3161 replies as authorities make them: any fraction of a second, any sound signature; each error is named. */
import { constants, createPublicKey, hash, type KeyObject, verify } from 'node:crypto';
import { ASN1Obj, RFC3161Timestamp, X509Certificate } from '@sigstore/core';
import { itemAt } from '../../base/list.ts';
import { messageOf } from '../../base/thrown.ts';

const SIGNED_DATA = '1.2.840.113549.1.7.2';
const TST_INFO = '1.2.840.113549.1.9.16.1.4';
const CONTENT_TYPE = '1.2.840.113549.1.9.3';
const MESSAGE_DIGEST = '1.2.840.113549.1.9.4';

const HASHES: Record<string, string> = {
  '2.16.840.1.101.3.4.2.1': 'sha256',
  '2.16.840.1.101.3.4.2.2': 'sha384',
  '2.16.840.1.101.3.4.2.3': 'sha512',
};
/** Broken algorithms are named, so that the user knows what to ask for. */
const WEAK: Record<string, string> = { '1.3.14.3.2.26': 'SHA-1', '1.2.840.113549.2.5': 'MD5' };

interface Scheme {
  key: 'rsa' | 'ec' | 'ed25519';
  /** null: that of the reply's digest. */
  hash?: string;
  pss?: true;
}
const SCHEMES: Record<string, Scheme> = {
  '1.2.840.113549.1.1.1': { key: 'rsa' },
  '1.2.840.113549.1.1.11': { key: 'rsa', hash: 'sha256' },
  '1.2.840.113549.1.1.12': { key: 'rsa', hash: 'sha384' },
  '1.2.840.113549.1.1.13': { key: 'rsa', hash: 'sha512' },
  '1.2.840.113549.1.1.10': { key: 'rsa', pss: true },
  '1.2.840.10045.4.3.2': { key: 'ec', hash: 'sha256' },
  '1.2.840.10045.4.3.3': { key: 'ec', hash: 'sha384' },
  '1.2.840.10045.4.3.4': { key: 'ec', hash: 'sha512' },
  '1.3.101.112': { key: 'ed25519' },
};

const STATUSES = ['granted', 'granted with changes', 'rejected', 'waiting', 'revocation warning', 'revoked'];

function need<T>(part: T | undefined, what: string): T {
  if (part === undefined) throw new Error(`it has no ${what}`);
  return part;
}

function hashNamed(algorithm: ASN1Obj | undefined, what: string): string {
  const oid = need(algorithm?.subs[0], what).toOID();
  const name = Object.hasOwn(HASHES, oid) ? HASHES[oid] : undefined;
  if (!name) throw new Error(`its ${what} is ${WEAK[oid] ?? oid}, which proves nothing here`);
  return name;
}

/** GeneralizedTime in UTC with whole seconds or a fraction of any length (RFC 3161, 2.4.2), in milliseconds. */
export function parseGenTime(text: string): number {
  const parts = /^(\d{4})(\d\d)(\d\d)(\d\d)(\d\d)(\d\d)(?:\.(\d+))?Z$/.exec(text);
  const [year = 0, month = 0, day = 0, ...clock] = (parts ?? []).slice(1, 7).map(Number);
  const [hour = 0, minute = 0, second = 0] = clock;
  const ms = Date.UTC(year, month - 1, day, hour, minute, second);
  // Dates that do not exist, such as 30 February, would roll over.
  const again = Number.isNaN(ms) ? '' : new Date(ms).toISOString().replace(/[-:T]|\..*/g, '');
  if (!parts || again !== text.slice(0, 14)) throw new Error(`its time ${text.slice(0, 40)} is none`);
  return ms + Number(`${parts[7] ?? ''}000`.slice(0, 3));
}

/** The texts of a distinguished name, for people: PrintableString, UTF8String and similar types. */
function nameOf(name: ASN1Obj): string {
  const texts = (node: ASN1Obj): string[] => {
    if (node.subs.length > 0) return node.subs.flatMap(texts);
    if (!node.tag.isUniversal()) return [];
    if ([0x0c, 0x13, 0x14, 0x16].includes(node.tag.number)) return [node.value.toString('utf8')];
    return node.tag.number === 0x1e && node.value.length % 2 === 0
      ? [Buffer.from(node.value).swap16().toString('utf16le')]
      : [];
  };
  return texts(name).join(', ');
}

function derOf(bytes: Buffer): ASN1Obj {
  try {
    return ASN1Obj.parseBuffer(Buffer.from(bytes));
  } catch (error) {
    throw new Error(`it is no RFC 3161 reply in DER: ${messageOf(error)}`, { cause: error });
  }
}

/** The root of a reply that holds a token; common other files are named in the error. */
function replyOf(der: Buffer): ASN1Obj {
  if (der.subarray(0, 10).toString('latin1') === '-----BEGIN') throw new Error('it is PEM, and DER is read');
  const root = derOf(der);
  const [first, second] = root.subs;
  if (first?.tag.isOID())
    throw new Error(
      'it is a token without its reply: openssl ts -reply -token_in -in FILE -out REPLY makes one of it',
    );
  if (first?.tag.isInteger()) throw new Error('it is a request: give the authority’s reply to it');
  const status = first?.subs[0]?.tag.isInteger() ? Number(first.subs[0].toInteger()) : undefined;
  if (status === undefined) throw new Error('it is no RFC 3161 reply: it has no status');
  if (status > 1 || !second)
    throw new Error(`the authority gave no time: ${STATUSES[status] ?? `status ${status}`}`);
  return root;
}

/** The parts of a reply that say who made it; the rest is read when it is asked for. */
interface Parts {
  signedData: ASN1Obj;
  signerInfo: ASN1Obj;
  issuer: ASN1Obj;
  serial: Buffer;
}

function partsOf(root: ASN1Obj): Parts {
  const token = need(root.subs[1], 'token');
  if (need(token.subs[0], 'content type').toOID() !== SIGNED_DATA)
    throw new Error('its token is not signed data');
  const signedData = need(token.subs[1]?.subs[0], 'signed data');
  const signers = need(signedData.subs.at(-1), 'signer').subs;
  if (signers.length !== 1) throw new Error(`it has ${signers.length} signatures, and one is allowed`);
  const signerInfo = itemAt(signers, 0);
  const sid = need(signerInfo.subs[1], 'signer');
  if (!sid.tag.isUniversal() || sid.subs.length !== 2)
    throw new Error('it names its certificate otherwise than by issuer and serial number');
  return { signedData, signerInfo, issuer: itemAt(sid.subs, 0), serial: itemAt(sid.subs, 1).value };
}

/** The DER of signed attributes as they were signed: a SET, though they stand under another tag (RFC 5652, 5.4). */
function asSet({ value }: ASN1Obj): Buffer {
  const length: number[] = [];
  for (let rest = value.length; rest > 0; rest = Math.floor(rest / 256)) length.unshift(rest & 255);
  const header = value.length < 128 ? [value.length] : [0x80 | length.length, ...length];
  return Buffer.concat([Buffer.from([0x31, ...header]), value]);
}

/** The one value of an attribute that must be there once. */
function attribute(attributes: ASN1Obj, oid: string, what: string): ASN1Obj {
  const found = attributes.subs.filter(({ subs }) => subs[0]?.tag.isOID() && subs[0].toOID() === oid);
  if (found.length !== 1 || itemAt(found, 0).subs[1]?.subs.length !== 1)
    throw new Error(`its signed attributes do not hold exactly one ${what}`);
  return itemAt(itemAt(itemAt(found, 0).subs, 1).subs, 0);
}

/** RSASSA-PSS must name its hash, and the same one for its mask: the default would be SHA-1 (RFC 4055, 3.1). */
function pssHash(algorithm: ASN1Obj): string {
  const member = (number: number): ASN1Obj | undefined =>
    algorithm.subs[1]?.subs.find(({ tag }) => tag.isContextSpecific(number))?.subs[0];
  const name = hashNamed(member(0), 'PSS hash');
  if (hashNamed(member(1)?.subs[1], 'PSS mask’s hash') !== name) throw new Error('its PSS hashes differ');
  return name;
}

/** One reply, its signature and time checked by our own rules where the library knows fewer. */
export class Timestamp extends RFC3161Timestamp {
  private readonly parts: Parts;

  /** Throws an Error where its maker is unknown. */
  constructor(der: Buffer) {
    const root = replyOf(der);
    super(root);
    this.parts = partsOf(root);
  }

  override get signingTime(): Date {
    const time = this.info.subs[4];
    if (!time?.tag.isGeneralizedTime()) throw new Error('it has no time');
    return new Date(parseGenTime(time.value.toString('latin1')));
  }

  override get signerIssuer(): Buffer {
    return this.parts.issuer.value;
  }

  override get signerSerialNumber(): Buffer {
    return this.parts.serial;
  }

  /** The maker that it claims, for people. */
  get authority(): string {
    return `certificate ${this.parts.serial.toString('hex')} of ${nameOf(this.parts.issuer)}`;
  }

  /** The very bytes of TSTInfo. */
  private get content(): ASN1Obj {
    const encapsulated = need(this.parts.signedData.subs[2], 'content');
    if (need(encapsulated.subs[0], 'content type').toOID() !== TST_INFO)
      throw new Error('its content is no time stamp');
    const content = need(encapsulated.subs[1]?.subs[0], 'content');
    if (!content.tag.isOctetString() || content.tag.constructed || content.subs.length !== 1)
      throw new Error('it is not DER');
    return content;
  }

  private get info(): ASN1Obj {
    return need(this.content.subs[0], 'time stamp');
  }

  /** The digest of the bytes that it is about. */
  get imprint(): { algorithm: string; digest: Buffer } {
    const imprint = need(this.info.subs[2], 'imprint');
    return {
      algorithm: hashNamed(imprint.subs[0], 'imprint’s hash'),
      digest: need(imprint.subs[1], 'imprint').value,
    };
  }

  /** The key of the certificate that it names, where it contains that certificate. */
  get ownKey(): KeyObject {
    const held = this.parts.signedData.subs.find(({ tag }) => tag.isContextSpecific(0))?.subs ?? [];
    if (held.length === 0) throw new Error('it holds no certificates: ask with openssl ts -query -cert');
    const own = held
      .filter(({ tag }) => tag.isUniversal())
      .map((one) => X509Certificate.parse(one.toDER() as Buffer<ArrayBuffer>))
      .find((one) => this.isBy(one));
    const { publicKey } = need(own, 'certificate that it is signed with');
    return createPublicKey({ key: publicKey, format: 'der', type: 'spki' });
  }

  /** Whether it names this certificate. */
  isBy({ issuer, serialNumber }: X509Certificate): boolean {
    return serialNumber.equals(this.signerSerialNumber) && issuer.equals(this.signerIssuer);
  }

  /** Whether it is about these bytes; its maker is not checked here. */
  isOf(bytes: Uint8Array): boolean {
    const { algorithm, digest } = this.imprint;
    return hash(algorithm, bytes, 'buffer').equals(digest);
  }

  /** Throws an Error that says what is wrong, where it is not about `data` or was not made with the key. */
  override verify(data: Uint8Array, key: KeyObject): void {
    if (!this.isOf(data)) throw new Error('it is of something else');
    this.checkSignature(key);
  }

  /** Throws an Error that says what is wrong, where its time and imprint were not signed with the key. */
  checkSignature(key: KeyObject): void {
    const { signerInfo } = this.parts;
    const attributes = signerInfo.subs[3];
    if (!attributes?.tag.isContextSpecific(0)) throw new Error('it has no signed attributes');
    if (attribute(attributes, CONTENT_TYPE, 'content type').toOID() !== TST_INFO)
      throw new Error('its signature is over another kind of content');
    const digested = hashNamed(signerInfo.subs[2], 'digest');
    const own = hash(digested, this.content.value, 'buffer');
    if (!attribute(attributes, MESSAGE_DIGEST, 'digest').value.equals(own))
      throw new Error('its time was changed after it was signed');
    const signature = need(signerInfo.subs[5], 'signature').value;
    if (!this.signed(need(signerInfo.subs[4], 'algorithm'), digested, asSet(attributes), signature, key))
      throw new Error('its signature was not made with the key of the certificate it names');
  }

  private signed(
    algorithm: ASN1Obj,
    digested: string,
    bytes: Buffer,
    signature: Buffer,
    key: KeyObject,
  ): boolean {
    const oid = need(algorithm.subs[0], 'algorithm').toOID();
    const scheme = Object.hasOwn(SCHEMES, oid) ? SCHEMES[oid]! : undefined;
    if (!scheme || key.asymmetricKeyType?.replace('rsa-pss', 'rsa') !== scheme.key)
      throw new Error(`its signature algorithm ${oid} is not read, or not one of ${key.asymmetricKeyType}`);
    if (scheme.key === 'ed25519') return verify(null, bytes, key, signature);
    const name = scheme.pss ? pssHash(algorithm) : (scheme.hash ?? digested);
    if (scheme.key === 'ec') return verify(name, bytes, key, signature);
    const { RSA_PKCS1_PSS_PADDING, RSA_PKCS1_PADDING, RSA_PSS_SALTLEN_AUTO } = constants;
    return scheme.pss
      ? verify(
          name,
          bytes,
          { key, padding: RSA_PKCS1_PSS_PADDING, saltLength: RSA_PSS_SALTLEN_AUTO },
          signature,
        )
      : verify(name, bytes, { key, padding: RSA_PKCS1_PADDING }, signature);
  }
}
