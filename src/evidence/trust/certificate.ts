/** What a certificate's extensions say about the build behind its holder; each is read once, strictly, or the certificate is refused. */
import {
  CERTIFICATE_FIELDS,
  type CertificateField,
  type CertificateFields,
  FIELD_NAMES,
} from '../../policy/certificate-fields.ts';
import { Refusal } from '../common/refusal.ts';

/** An extension as it stands in the certificate: `value` is the content of its octet string. */
export interface Extension {
  oid: string;
  value: Buffer;
}

/** Who holds a certificate, and what it says of the build. */
export interface Identity {
  subject: string;
  /** Null where the certificate names none, as those of GitHub's immutable releases. */
  issuer: string | null;
  says: CertificateFields;
}

const FULCIO = '1.3.6.1.4.1.57264.1.';
const ISSUER = { raw: 1, der: 8 };
const UTF8_STRING = 0x0c;
const FIELD_BYTES = 8192;

function refused(message: string): Refusal {
  return new Refusal('identity_certificate', message);
}

/** The content of one DER UTF8String (X.690) that fills its octets; anything else is refused. */
function derText(value: Buffer, what: string): Buffer {
  const [tag, first = 0] = value;
  // The length's own bytes follow a first byte over 127; texts of more than 65,535 bytes are over every limit here.
  const more = first > 0x82 ? Number.NaN : first > 0x80 ? first - 0x80 : 0;
  const start = 2 + more;
  const length = more === 0 ? first : value.length >= start ? value.readUIntBE(2, more) : Number.NaN;
  const shortest = more === 0 ? first < 0x80 : length >= (more === 1 ? 0x80 : 0x100);
  if (tag !== UTF8_STRING || !shortest || start + length !== value.length)
    throw refused(`the certificate’s ${what} is no DER UTF8String`);
  return value.subarray(start);
}

function textOf(bytes: Buffer, what: string): string {
  if (bytes.length > FIELD_BYTES) throw refused(`the certificate’s ${what} is over ${FIELD_BYTES} bytes`);
  try {
    const text = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
    if (!text.includes('\u0000')) return text;
  } catch {
    // Reported below.
  }
  throw refused(`the certificate’s ${what} is no UTF-8 text`);
}

/** Names are plain ASCII: a letter that looks like another could make one name pass for another. */
export function plainText(bytes: Buffer, what = 'identity'): string {
  if (bytes.length === 0 || bytes.some((byte) => byte < 0x20 || byte > 0x7e))
    throw refused(`the certificate’s ${what} is not plain ASCII`);
  return bytes.toString('latin1');
}

/** Pairs of fields with the same meaning in the older and the newer form: a certificate in which they differ is refused. */
const TWICE: [CertificateField, CertificateField, (older: string, newer: string) => boolean][] = [
  ['githubWorkflowTrigger', 'buildTrigger', Object.is],
  ['githubWorkflowSHA', 'sourceRepositoryDigest', Object.is],
  ['githubWorkflowRef', 'sourceRepositoryRef', Object.is],
  ['githubWorkflowRepository', 'sourceRepositoryURI', (older, newer) => newer.endsWith(`/${older}`)],
];

function checkAgreement(says: CertificateFields): void {
  for (const [older, newer, agree] of TWICE) {
    const [one, other] = [says[older], says[newer]];
    if (one !== undefined && other !== undefined && !agree(one, other))
      throw refused(
        `the certificate contradicts itself: ${older} ${one.slice(0, 200)}, and ${newer} ${other.slice(0, 200)}`,
      );
  }
}

/** Issuer and fields of a certificate. RFC 5280 allows an extension only once: with two, different readers could use different ones. */
export function readExtensions(extensions: Extension[]): Pick<Identity, 'issuer' | 'says'> {
  const found = new Map<string, Buffer>();
  for (const { oid, value } of extensions) {
    if (found.has(oid)) throw refused(`the certificate has the extension ${oid} twice`);
    found.set(oid, value);
  }
  const at = (number: number): Buffer | undefined => found.get(`${FULCIO}${number}`);
  const says: CertificateFields = {};
  for (const field of FIELD_NAMES) {
    const number = CERTIFICATE_FIELDS[field];
    const value = at(number);
    const text = value && textOf(number > ISSUER.der ? derText(value, field) : value, field);
    // An empty one says nothing (“MAY be empty”), so it must not match a pattern.
    if (text) says[field] = text;
  }
  checkAgreement(says);
  const [raw, der] = [at(ISSUER.raw), at(ISSUER.der)];
  const older = raw && plainText(raw, 'issuer');
  const newer = der && plainText(derText(der, 'issuer'), 'issuer');
  if (older !== undefined && newer !== undefined && older !== newer)
    throw refused(`the certificate contradicts itself: its issuers are ${older} and ${newer}`);
  return { issuer: newer ?? older ?? null, says };
}
